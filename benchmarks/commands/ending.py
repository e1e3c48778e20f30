"""Exit codes and one-line errors of all benchmark commands."""

import click


def ended(command: click.Command, arguments: list[str] | None, program: str) -> int:
    """Run a command and return its exit code.

    0 measured, 1 an answer was wrong or a row became worse, 2 bad input, 70 the harness itself
    failed, 130 interrupted.
    """
    from benchmarks.files import BadResultsError
    from benchmarks.process import WorkerError

    try:
        return command.main(arguments, program, standalone_mode=False) or 0
    except BadResultsError as error:
        return _said(str(error), 2)
    except click.ClickException as error:
        return _said(" ".join(error.format_message().split()), 2)
    except click.Abort:
        click.echo("\nStopped.", err=True)
        return 130
    except BrokenPipeError:
        return 1
    except WorkerError as error:
        return _said(f"the harness failed: {error}", 70)


def _said(message: str, code: int) -> int:
    click.echo(f"Error: {message}", err=True)
    return code
