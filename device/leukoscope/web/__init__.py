"""The page in the browser on which a person looks through a sample, names cells and signs.

What a place of reports beyond the device needs of it is named here.
"""

from leukoscope.errors import ReviewError
from leukoscope.messages.worklist_line import Line, line_of
from leukoscope.outbox.cell_pictures import PictureFacts
from leukoscope.outbox.white_cells import Named
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.from_afar import arguments_of
from leukoscope.reviewing.missed_cells import missed_in
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.lifecycle import STRICT
from leukoscope.specimen.sample import SampleReport
from leukoscope.system.clock import Clock, utc_now
from leukoscope.web.database import Databases
from leukoscope.web.exports import exported
from leukoscope.web.findings_of_cells import findings_as_sentences, grounds_sent
from leukoscope.web.kept_texts import kept, read
from leukoscope.web.page_server import Site
from leukoscope.web.reports import BATCH, Alike, GoneError, Sample, Submitted
from leukoscope.web.server import address_of, listening, new_code, serve

__all__ = [
    "BATCH",
    "STRICT",
    "UNSURE",
    "Alike",
    "CellRecord",
    "Clock",
    "Databases",
    "Decision",
    "GoneError",
    "Line",
    "Named",
    "PictureFacts",
    "ReviewError",
    "Sample",
    "SampleReport",
    "Sentence",
    "Site",
    "Submitted",
    "Verbatim",
    "address_of",
    "arguments_of",
    "exported",
    "findings_as_sentences",
    "grounds_sent",
    "kept",
    "line_of",
    "listening",
    "missed_in",
    "new_code",
    "read",
    "serve",
    "utc_now",
]
