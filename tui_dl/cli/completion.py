"""`tui-dl completion SHELL`: the script that makes a shell complete commands, options, files and filters."""

from __future__ import annotations

import click

from tui_dl.cli.completion_scripts import SCRIPTS
from tui_dl.cli.exits import DONE
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options


@click.command(cls=PlainCommand)
@click.argument("shell", type=click.Choice(tuple(SCRIPTS)))
@log_options
def completion(shell: str, log_file: str | None, verbose: int) -> int:
    r"""Print what makes a shell complete tui-dl with the Tab key.

    \b
    bash  tui-dl completion bash > ~/.local/share/bash-completion/completions/tui-dl
          or, without the package bash-completion: put  source <(tui-dl completion bash)  into ~/.bashrc
    zsh   tui-dl completion zsh > FOLDER/_tui-dl, where FOLDER is in $fpath before compinit runs
          or put  source <(tui-dl completion zsh)  behind compinit in ~/.zshrc
    fish  tui-dl completion fish > ~/.config/fish/completions/tui-dl.fish
    """
    with logging_to(log_file, verbose):
        click.echo(SCRIPTS[shell], nl=False)
    return DONE
