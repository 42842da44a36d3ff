"""JSON-RPC 2.0 over HTTP and WebSocket: aria2's methods (`aria2.*`, `system.*`) and our own (`tui_dl.*`).

One path, `/jsonrpc`, on the session's Unix socket always, and on loopback TCP where the settings say so:

    curl --unix-socket rpc.sock http://localhost/jsonrpc -d '{"jsonrpc":"2.0","id":1,"method":"tui_dl.session"}'

Parameters of `tui_dl.*` are an object, or an array that holds it: `{"ids": [3]}` or `[{"ids": [3]}]`. Over TCP the
secret comes first, as aria2 has it: `["token:SECRET", {"ids": [3]}]`, or within the object as `"token": "SECRET"`. On
the Unix socket none is asked for. Answers are `{"id", "jsonrpc", "result"}` or `{"id", "jsonrpc", "error": {"code",
"message", "data"}}`; an error of the engine has code 1 and `data` `{"reason", "hint"}` with a documented reason code.

Tasks are meant by `ids` (a list), by `query` (a filter as it is typed on the screen, `"host:x status:failed"`, or an
object with `filter`, `sort`, `is_descending`, `batch_id`, `statuses`, `has_history`), or by `all: true`; a query can
leave out `excluding_ids`.

| method | parameters | result |
| --- | --- | --- |
| `tui_dl.execute` | `name` (of `core.commands.CommandName`), targets, `arguments` | `changed ids known_ids value message is_refused` |
| `tui_dl.rows` | targets, `sort is_descending has_history offset limit` (1,000) | `rows` (fields of `DownloadTask`, with `speed_bps eta_s connections` where in hand), `generation` |
| `tui_dl.view` | the same, limit 100,000 | `ids generation` |
| `tui_dl.details` | `id` | `task held segments sources hosts log response_headers peak_bps`, or null |
| `tui_dl.snapshot` | | `live counts speed_bps concurrent_downloads limit_rate_bps limit_until_at free_bytes generation notices works` |
| `tui_dl.statistics` | | totals since the start |
| `tui_dl.batches` | | the adds, the newest first |
| `tui_dl.failure_groups` | `query` | failed rows by reason and host |
| `tui_dl.wait` | targets, `timeout_s` | `is_done counts failed_ids`; waits until none of them wants anything more; a WebSocket answers nothing else meanwhile |
| `tui_dl.subscribe` | optional `kinds` | over WebSocket alone: `tui_dl.event` notifications, whose one parameter is a line of `get --json` |
| `tui_dl.unsubscribe` | | |
| `tui_dl.session` | | `version pid since_at clients id` |
| `tui_dl.stop` | optional `is_forced` | "OK"; the session ends with everything durable |

`GET /events` on the Unix socket gives the same events as JSON lines, for programs without a WebSocket client:

    curl --no-buffer --unix-socket rpc.sock http://localhost/events

A bulk command on more than a thousand rows tells no event for each row; `generation` shows that something changed.
"""  # noqa: E501  # a table has no shorter lines
