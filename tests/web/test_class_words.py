"""What the page calls a class of cells: as a laboratory does, in each language, and a share only where there is one."""

from playwright.sync_api import Page, expect

from leukoscope.inference.bundle import Bundle
from leukoscope.system.assets import find_asset
from leukoscope.web.words import catalogue, class_in
from tests.web.test_review_on_the_device import open_sample


def test_every_class_of_the_shipped_classifier_has_words_of_the_laboratory() -> None:
    facts = Bundle.read(find_asset("models", "classifier")).manifest.classifier
    assert facts is not None
    english = {one.key: class_in("en", one.key) for one in facts.classes}
    assert english["plasma"] == "plasma cell"
    assert english["thrombocyte_aggregation"] == "platelet clump"
    assert english["giant_thrombocyte"] == "giant platelet"
    assert english["lymphocyte_variant"] == "variant lymphocyte"
    for language in ("fr", "es"):
        assert [one for one in english.values() if one not in catalogue(language)] == []


def test_a_cell_that_the_device_would_not_name_has_no_share_of_being_unsure(signed_in: Page) -> None:
    open_sample(signed_in)
    cell = signed_in.locator(".group[data-class=unsure] .cell").first
    number = cell.get_attribute("data-number")
    expect(cell).to_have_attribute("aria-label", f"cell {number}, unsure")
    cell.focus()
    signed_in.keyboard.press("Enter")
    said = signed_in.locator("dialog dl div").first
    expect(said).to_have_text("the device saidunsure")
    signed_in.keyboard.press("b")
    signed_in.keyboard.press("Escape")
    signed_in.reload()
    named = signed_in.locator(f'.cell[data-number="{number}"]')
    expect(named).to_have_attribute("aria-label", f"cell {number}, blast, named by a person")
