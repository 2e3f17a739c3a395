"""One of every screen, with the long words and odd numbers that break layouts."""

from leukoscope.displays.state import (
    BrokerState,
    Counting,
    Delivery,
    DifferentialLine,
    Fault,
    Guiding,
    Hint,
    Looking,
    Precision,
    Ready,
    Result,
    Screen,
    Sent,
    Starting,
)
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.sample import Source

DIFFERENTIAL = (
    DifferentialLine("SEG", 55.3, 40.1, 69.8),
    DifferentialLine("BAND", 4.3, 0.5, 14.5),
    DifferentialLine("LYM", 27.7, 15.6, 42.6),
    DifferentialLine("MON", 6.4, 1.3, 17.5),
    DifferentialLine("EOS", 2.1, 0.1, 11.3),
    DifferentialLine("BAS", 0.0, 0.0, 7.5),
    DifferentialLine("META", 2.1, 0.1, 11.3),
    DifferentialLine("MYE", 0.0, 0.0, 7.5),
    DifferentialLine("PRO", 0.0, 0.0, 7.5),
    DifferentialLine("BLAST", 2.1, 0.1, 11.3),
)

MORE = Precision("SEG", 5.0, 331)

EXHIBITS: dict[str, Screen] = {
    "starting": Starting("Loading the segmenter", "0.1.0"),
    "ready": Ready("Next sample: 2026-0412-07", BrokerState.CONNECTED, Source.LIVE),
    "ready_offline": Ready(
        "Next sample: 2026-0412-07",
        BrokerState.OFFLINE,
        Source.SIMULATED,
        pending=3,
        warning="Calibration is nominal: sizes were not measured on this bench",
    ),
    "looking_move": Looking(Hint.MOVE, 46, 100, Source.LIVE),
    "looking_wait": Looking(Hint.WAIT, 46, 100, Source.LIVE),
    "looking_focus": Looking(Hint.FOCUS, 0, 100, Source.SIMULATED),
    "looking_slower": Looking(Hint.SLOWER, 46, 100, Source.LIVE),
    "looking_crowded": Looking(Hint.TOO_CROWDED, 99, 100, Source.REPLAYED),
    "looking_empty": Looking(Hint.NO_CELLS, 12, 500, Source.LIVE),
    "looking_bright": Looking(Hint.TOO_BRIGHT, 12, 100, Source.LIVE),
    "looking_dark": Looking(Hint.TOO_DARK, 12, 100, Source.LIVE),
    "counting": Counting(47, 100, 118, 9, None, DIFFERENTIAL, 23456, 812, 0.57, MORE, 151.0, False, Source.SIMULATED),
    "counting_first_field": Counting(0, 100, 1, 0, None, (), 203, 9, 0.005, None, 4.0, False, Source.LIVE),
    "counting_paused": Counting(
        347, 500, 1180, 96, Flaw.OUT_OF_FOCUS, DIFFERENTIAL, 234567, 8120, 5.72, MORE, 4351.0, True, Source.LIVE
    ),
    "counting_resumed": Counting(
        12, 100, 31, 2, None, DIFFERENTIAL[:6], 6210, 203, 0.15, None, 95.0, True, Source.LIVE, resumed=True
    ),
    "counting_lost": Counting(
        12, 100, 31, 2, None, DIFFERENTIAL[:6], 6210, 203, 0.15, MORE, 95.0, False, Source.LIVE, lost=True
    ),
    "result": Result(
        "2026-0412-07",
        DIFFERENTIAL,
        100,
        7.23,
        ("Blasts seen: 2 % (0-7)", "Left shift: bands, metamyelocytes and younger 6 %"),
        ("Calibration is nominal: sizes were not measured on this bench",),
        Source.SIMULATED,
    ),
    "result_plain": Result("2026-0412-08", DIFFERENTIAL[:6], 100, 7.2, (), (), Source.LIVE),
    "result_crowded": Result(
        "A-very-long-sample-identifier-from-a-barcode-0123456789",
        DIFFERENTIAL,
        500,
        None,
        tuple(f"Finding number {n} with rather many words in it, to fill lines" for n in range(1, 7)),
        ("Clock is not synchronised", "Calibration is nominal: sizes were not measured on this bench"),
        Source.REPLAYED,
    ),
    "sent": Sent("3f9c1a2e", 0, Delivery.SENT, Source.LIVE),
    "queued": Sent("3f9c1a2e", 4, Delivery.QUEUED, Source.SIMULATED),
    "queued_why": Sent(
        "3f9c1a2e",
        4,
        Delivery.QUEUED,
        Source.LIVE,
        "Server busy: the broker 192.168.100.20:8883 ended the connection: it has too much to do now; we ask more "
        "and more rarely",
    ),
    "kept": Sent("3f9c1a2e", 4, Delivery.KEPT, Source.LIVE),
    "ready_unnamed": Ready("", BrokerState.NONE, Source.LIVE),
    "guiding": Guiding("Flat field", "Move to an empty place, then press", "3 of 9 pictures", 1 / 3, Source.LIVE),
    "guiding_done": Guiding(
        "Scale", "Done: 0.1270 um per pixel", "Next: leukoscope calibrate scale --check", None, Source.SIMULATED
    ),
    "fault": Fault("Camera", "No frame came for 5 seconds", "Check the ribbon cable, then press the button"),
    "fault_long": Fault(
        "Outbox",
        "The store of unsent reports at /var/lib/leukoscope/outbox.sqlite cannot be written: no space left",
        "Free space on the card, or move the store in the settings file, then restart the instrument",
    ),
}
