"""`python -m benchmarks`: the measurements of this project.

Exit codes: 0 measured, 2 bad input, 70 the harness itself failed, 130 interrupted; what was
measured until then is stored.
"""

import sys

import click

from benchmarks.checkers.command import checkers


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Measure what this project says of itself and of others."""


cli.add_command(checkers)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    try:
        code = cli.main(arguments, "python -m benchmarks", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        click.echo(f"Error: {' '.join(error.format_message().split())}", err=True)
        code = 2
    except click.Abort:
        click.echo("\nStopped.", err=True)
        code = 130
    except RuntimeError as error:
        code = _failed(error)
    sys.exit(code or 0)


def _failed(error: RuntimeError) -> int:
    from benchmarks.checkers.worker import WorkerError

    if not isinstance(error, WorkerError):
        raise error
    click.echo(f"Error: the harness failed: {error}", err=True)
    return 70


if __name__ == "__main__":
    main()
