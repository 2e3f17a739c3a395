"""`leukoscope export`."""

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leukoscope.cli.options import usual_bench
from leukoscope.errors import ExportError
from leukoscope.exporting.fhir import as_fhir
from leukoscope.exporting.kept_cells import OutboxPictures
from leukoscope.exporting.laboratory import NO_LABORATORY, LaboratorySettings
from leukoscope.exporting.original import Original, find_report
from leukoscope.exporting.page import as_html
from leukoscope.exporting.report_pictures import Gallery, gallery_of
from leukoscope.exporting.report_words import doubt_words
from leukoscope.exporting.table import as_csv
from leukoscope.settings import BenchSettings
from leukoscope.system.acting_as import as_owner_of
from leukoscope.system.output_file import write_output


class Format(StrEnum):
    """What a report can become."""

    FHIR = "fhir"
    CSV = "csv"
    PDF = "pdf"
    HTML = "html"


def export(
    report: Annotated[str, typer.Argument(help="A report's JSON file, or the beginning of its id.")],
    form: Annotated[
        Format,
        typer.Option("--as", help="FHIR R4 bundle, table with one row per quantity, or a page to print."),
    ],
    out: Annotated[Path | None, typer.Option(help="The file to write; without it, standard output.")] = None,
    bench: Annotated[Path | None, typer.Option(help="The bench whose reports to search (TOML).")] = None,
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Also a report that no outbox vouches for; what is written says so."),
    ] = False,
) -> None:
    """Write a stored report as FHIR, CSV, PDF or HTML; the numbers are the same in all of them.

    LOINC codes in FHIR are © Regenstrief Institute, Inc.; see http://loinc.org/license.
    """
    if bench is None and not Path(report).is_file():
        bench = usual_bench()
    settings = None if bench is None else BenchSettings.read(bench)
    storage = None if settings is None else settings.storage.folder
    laboratory = NO_LABORATORY if settings is None else settings.laboratory
    with nullcontext() if storage is None else as_owner_of(storage):
        original = find_report(report, storage, unverified=unverified)
        cells = None if original.storage is None else OutboxPictures(original.storage / "outbox.sqlite")
        gallery = gallery_of(original.storage, original.report.id, original.report.version, cells)
        content = written(original, gallery, form, laboratory)
    if original.doubt:
        typer.echo(f"leukoscope: {doubt_words(original.doubt)}", err=True)
    if out is not None:
        _write(out, content)
    elif form is Format.PDF and sys.stdout.isatty():
        raise ExportError("a PDF is not for a terminal", "give a file with --out")
    else:
        sys.stdout.buffer.write(content)


def written(
    original: Original, gallery: Gallery, form: Format, laboratory: LaboratorySettings = NO_LABORATORY
) -> bytes:
    """The report in a format, as the bytes of a file.

    Raises:
        ExportError: what would write it is not installed, or the report's status is unknown.
    """
    match form:
        case Format.FHIR:
            return as_fhir(original).encode()
        case Format.CSV:
            return as_csv(original).encode()
        case Format.HTML:
            return as_html(original, gallery, laboratory).encode()
        case Format.PDF:
            from leukoscope.exporting.pdf import as_pdf

            return as_pdf(original, gallery, laboratory)


def _write(path: Path, content: bytes) -> None:
    try:
        write_output(path, content)
    except OSError as error:
        raise ExportError(f"{path} cannot be written ({error.strerror})", "check the folder and its owner") from error
