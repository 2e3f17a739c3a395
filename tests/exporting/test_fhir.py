import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from leukoscope.errors import ExportError
from leukoscope.exporting.codes import ATTRIBUTION, LOINC
from leukoscope.exporting.fhir import as_fhir, bundle_of
from leukoscope.exporting.fhir_observation import CONFIDENCE_95, OWN_CODES
from leukoscope.exporting.original import Signature
from leukoscope.exporting.quantities import quantities_of
from leukoscope.messages.json_format import utc_text
from leukoscope.specimen.sample import RedCells, SampleReport, Source
from tests.exporting.stored import blood, marrow, original
from tests.messages.examples import NOW, PROVENANCE

ANALYSER_CODES = {"6690-2", "777-3", "789-8"}


def resources(message: SampleReport | None = None, status: str = "preliminary") -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle_of(original(message, status))["entry"]]


def observations(message: SampleReport | None = None) -> dict[str, dict[str, Any]]:
    """Observations by our own code."""
    return {own_code(one["code"]): one for one in resources(message) if one["resourceType"] == "Observation"}


def own_code(concept: dict[str, Any]) -> str:
    return next(str(coding["code"]) for coding in concept["coding"] if coding["system"] == OWN_CODES)


def loinc_codes(message: SampleReport) -> dict[str, str]:
    codings = {key: one["code"]["coding"] for key, one in observations(message).items()}
    return {key: one["code"] for key, many in codings.items() for one in many if one["system"] == LOINC}


EMPTY = blood(
    white_cells=0,
    differential_corrected=None,
    not_corrected_because="no white cells were counted",
    beside={},
    red_cells=RedCells(0, None, None, None),
    wbc_per_1000_rbc=None,
    platelets=0,
    sample_id="",
    findings=(),
)


@pytest.mark.parametrize(
    "message", [blood(), marrow(), EMPTY, blood(version=3)], ids=["blood", "marrow", "empty", "v3"]
)
def test_the_bundle_is_valid_fhir_r4(message: SampleReport) -> None:
    read = Bundle.model_validate_json(as_fhir(original(message)))
    kinds = [entry.resource.get_resource_type() for entry in read.entry]
    assert kinds.count("DiagnosticReport") == kinds.count("Specimen") == kinds.count("Provenance") == 1
    assert kinds.count("Device") == 3


def test_a_version_is_issued_when_it_was_made_and_tells_of_the_time_of_counting() -> None:
    message = blood(version=3)
    signed = replace(original(message, "final"), signature=Signature("A. Technician", NOW + timedelta(days=2)))
    for one, at in ((original(message), message.finished_at), (signed, NOW + timedelta(days=2))):
        bundle = bundle_of(one)
        resources = [entry["resource"] for entry in bundle["entry"]]
        assert {part["issued"] for part in resources if "issued" in part} == {utc_text(at)}
        assert (bundle["timestamp"], resources[-1]["recorded"]) == (utc_text(at), utc_text(at))
        assert resources[0]["effectivePeriod"]["end"] == utc_text(message.finished_at)


def test_every_reference_points_into_the_bundle() -> None:
    bundle = bundle_of(original())
    there = {entry["fullUrl"] for entry in bundle["entry"]}
    assert len(there) == len(bundle["entry"])
    assert set(references(bundle)) <= there


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if "reference" in value else []
        return own + [found for inner in value.values() for found in references(inner)]
    return [found for inner in value for found in references(inner)] if isinstance(value, list) else []


def test_codes_are_chosen_by_analyte_and_unit_and_never_an_analysers() -> None:
    assert loinc_codes(blood()) == {
        "share.segmented": "26505-8",
        "share.blast": "26446-5",
        "share.lymphocyte": "26478-8",
        "per_100.erythroblast": "19048-8",
    }
    assert not any(code in as_fhir(original()) for code in ANALYSER_CODES)
    assert ATTRIBUTION in resources()[0]["text"]["div"]


def test_a_marrow_smear_has_no_code_that_says_blood() -> None:
    assert loinc_codes(marrow()) == {}
    assert "coding" not in resources(marrow())[0]["code"]


def test_no_resource_is_about_a_patient() -> None:
    text = as_fhir(original())
    assert '"subject"' not in text
    assert "Patient" not in text
    (specimen,) = (one for one in resources() if one["resourceType"] == "Specimen")
    assert specimen["identifier"] == [{"system": "urn:leukoscope:specimen:ward-3", "value": "S-1"}]


def test_an_interval_is_no_reference_range() -> None:
    blasts = observations()["share.blast"]
    assert "referenceRange" not in as_fhir(original())
    (extension,) = blasts["extension"]
    assert extension["url"] == CONFIDENCE_95
    ends = extension["valueRange"]
    assert (ends["low"]["value"], ends["high"]["value"]) == (0.2, 7.0)
    assert ends["low"]["code"] == ends["high"]["code"] == blasts["valueQuantity"]["code"] == "%"
    assert "2.0 % (0.2–7.0)" in blasts["note"][0]["text"]


def test_the_corrected_share_stands_beside_the_counted_one_with_its_own_interval() -> None:
    parts = {own_code(part["code"]): part for part in observations()["share.blast"]["component"]}
    assert parts["share_corrected"]["valueQuantity"]["value"] == 1.8
    assert parts["share_corrected"]["extension"][0]["valueRange"]["low"]["value"] == 0.16
    assert parts["count"]["valueQuantity"]["value"] == 2
    assert parts["n"]["valueQuantity"]["value"] == 100


def test_what_is_not_known_is_absent_with_its_reason() -> None:
    message = observations(EMPTY)
    assert "valueQuantity" not in message["mean_diameter.red_cells"]
    assert message["mean_diameter.red_cells"]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    share = message["share.blast"]
    assert "valueQuantity" not in share
    assert "extension" not in share
    (corrected,) = (part for part in share["component"] if own_code(part["code"]) == "share_corrected")
    assert corrected["dataAbsentReason"]["text"] == "no white cells were counted"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("preliminary", "preliminary"),
        ("reviewed", "preliminary"),
        ("final", "final"),
        ("amended", "amended"),
        ("corrected", "corrected"),
    ],
)
def test_the_status_is_that_of_the_report_in_every_resource_that_has_one(status: str, code: str) -> None:
    message = {one["status"] for one in resources(status=status) if "status" in one}
    assert message == {code}


def test_a_status_nobody_knows_is_refused() -> None:
    with pytest.raises(ExportError, match="perhaps"):
        bundle_of(original(status="perhaps"))


def test_a_simulated_report_is_labelled_test_data_and_a_real_one_is_not() -> None:
    assert all(
        one["meta"]["security"][0]["code"] == "HTEST" for one in resources() if one["resourceType"] == "Observation"
    )
    assert "SIMULATED" in resources()[0]["conclusion"]
    live = blood(provenance=replace(PROVENANCE, source=Source.LIVE))
    assert "HTEST" not in as_fhir(original(live))


def test_a_later_version_keeps_the_ids_and_names_the_earlier_one() -> None:
    first, second = resources(blood()), resources(blood(version=2))
    assert [one["id"] for one in first] == [one["id"] for one in second]
    (provenance,) = (one for one in second if one["resourceType"] == "Provenance")
    assert [entity["role"] for entity in provenance["entity"]] == ["source", "source", "revision"]


def test_every_quantity_has_an_observation_with_its_value() -> None:
    message = observations()
    for one in quantities_of(blood()):
        if one.name != "share_corrected" and one.value is not None:
            assert message[one.key]["valueQuantity"]["value"] == one.value
            assert message[one.key]["valueQuantity"]["code"] == one.unit


def test_who_signed_is_named_as_verifier_and_nobody_is_while_nobody_did() -> None:
    signed = replace(original(status="final"), signature=Signature("A. Technician", NOW))
    bundle = Bundle.model_validate(bundle_of(signed)).model_dump(mode="json")
    message = {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}
    assert message["DiagnosticReport"]["resultsInterpreter"] == [{"display": "A. Technician"}]
    assert message["Provenance"]["agent"][-1]["who"] == {"display": "A. Technician"}
    assert "verifier" not in as_fhir(original())


def test_software_and_networks_are_devices_with_their_versions() -> None:
    devices = [one for one in resources() if one["resourceType"] == "Device"]
    assert [one["deviceName"][0]["name"] for one in devices] == ["leukoscope", "smear-unet", "leukocyte"]
    assert json.dumps(devices).count('"1.0.0"') == 2
    assert "b" * 64 in json.dumps(devices)
