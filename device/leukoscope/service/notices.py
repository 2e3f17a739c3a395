"""What is asked and shown on the displays, by id; the texts are the ids of the catalogues."""

from enum import StrEnum


class NoticeTitle(StrEnum):
    """Why a notice is shown."""

    NOT_AN_ID = "Not an id"
    USED_BEFORE = "Used before"
    IN_PROGRESS = "In progress"
    DISCARD = "Discard?"
    DISCARDED = "Discarded"
    PAGE_CODE = "Code for the page"


class NoticeTodo(StrEnum):
    """What the technician does about it, or what follows."""

    SCAN_AGAIN = "Scan or type it again"
    ONCE_MORE = "Once more to count it again"
    FINISH = "Finish {sample} first"
    AGAIN = "Again to discard, press to go on"
    NOTHING = "Nothing is reported"
    TYPE_IT = "Type it in the browser"
