"""Shell completion: its script printed, or put where the shell looks for it."""

from collections.abc import Callable
from typing import Literal

from cyclopts import App

Shell = Literal["bash", "zsh", "fish", "powershell"]
COMPLETION = ("--completion", "--install-completion")


def add_completion(app: App, whole: Callable[[], App]) -> None:
    """Adds the two commands.

    Args:
        whole: makes the app with all verbs and their options, which takes half a second.
    """

    def completion(shell: Shell, /) -> None:
        print(whole().generate_completion(shell=shell))

    def install(shell: Shell | None = None, /) -> None:
        print(install_completion(whole(), shell))

    app.command(completion, name=COMPLETION[0], help="Print the completion script of a shell.")
    app.command(
        install,
        name=COMPLETION[1],
        help="Install completion for a shell: the one that runs this command if none is named.",
    )


def install_completion(app: App, shell: Shell | None) -> str:
    """Writes the script into the home folder and, for bash and zsh, a line into its start file.

    Returns:
        what was written, and when it takes effect.

    Raises:
        ValueError: it can't be told which shell runs.
        OSError: a file can't be written.
    """
    from cyclopts.completion.detect import ShellDetectionError, detect_shell

    try:
        shell = shell or detect_shell()
    except ShellDetectionError:
        raise ValueError(
            "which shell runs can't be told; name it: preimage --install-completion bash, zsh, "
            "fish or powershell."
        ) from None
    path = app.install_completion(shell=shell)
    start = {
        "bash": ", and a line that loads it in ~/.bashrc",
        "zsh": ", and its folder in ~/.zshrc",
    }
    return f"{path}{start.get(shell, '')}. The next {shell} completes verbs, options and choices."
