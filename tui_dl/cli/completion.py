"""`tui-dl completion SHELL`: the script that makes a shell complete commands, options, files and filters."""

from __future__ import annotations

from typing import Final

import click

from tui_dl.cli.completion_scripts import SCRIPTS
from tui_dl.cli.exits import DONE
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options

_WHERE: Final = (
    ("bash", "source <(tui-dl completion bash) in ~/.bashrc; or into completions/tui-dl of bash-completion's folder"),
    ("zsh", "source <(tui-dl completion zsh) behind compinit in ~/.zshrc; or into _tui-dl in a folder of $fpath"),
    ("fish", "tui-dl completion fish > ~/.config/fish/completions/tui-dl.fish"),
)


class CompletionCommand(PlainCommand):
    """Says in its help where the script goes."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's shape
        """List the shells."""
        with formatter.section("Where it goes"):
            formatter.write_dl(list(_WHERE))


@click.command(cls=CompletionCommand)
@click.argument("shell", type=click.Choice(tuple(SCRIPTS)))
@log_options
def completion(shell: str, log_file: str | None, verbose: int) -> int:
    """Print what makes a shell complete tui-dl with the Tab key."""
    with logging_to(log_file, verbose):
        click.echo(SCRIPTS[shell], nl=False)
    return DONE
