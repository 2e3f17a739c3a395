"""A report as a FHIR R4 bundle: a DiagnosticReport, its Observations, the specimen, and what made them.

Nothing in it is about a patient: no resource has a subject, and the specimen carries the site's own identifier only.
"""

import json
from typing import Any
from uuid import UUID, uuid5
from xml.sax.saxutils import escape

from leukoscope.exporting.codes import ATTRIBUTION, DIFFERENTIAL_PANEL, LOINC
from leukoscope.exporting.fhir_observation import observation
from leukoscope.exporting.original import Original
from leukoscope.exporting.quantities import quantities_of
from leukoscope.exporting.report_words import NO_DIAGNOSIS, looked_at_words, origin_warnings, status_words
from leukoscope.messages.json_format import utc_text
from leukoscope.specimen.sample import CELLS_CALLED, BundleIdentity, SampleReport, Source

Resource = dict[str, Any]

TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
"""The security label of everything that came from a simulated microscope: no specimen was examined."""
UNCERTAIN = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "UNCERTREL",
    "display": "uncertain reliability",
}
"""The security label (integrity confidence) of a report for which no outbox vouches."""


def as_fhir(original: Original) -> str:
    """The bundle as JSON text."""
    return json.dumps(bundle_of(original), ensure_ascii=False, indent=1) + "\n"


def bundle_of(original: Original) -> Resource:
    """The bundle as plain JSON-ready data.

    Ids are made from the report's id, so a later version of a report has the resources of the earlier one.

    Raises:
        ExportError: the report has a status that this version does not know.
    """
    report = original.report
    specimen, instrument = _specimen(original), _instrument(report)
    networks = [_network(report, bundle, instrument) for bundle in _bundles(report)]
    shared = {
        "status": status_words(original.status).fhir,
        "specimen": _reference(specimen),
        "device": _reference(instrument),
        "effectivePeriod": _period(report),
        "issued": _issued(original),
    }
    observations = _observations(original, shared)
    diagnostic = _diagnostic_report(original, specimen, observations)
    provenance = _provenance(original, [diagnostic, *observations], instrument, networks)
    resources = [diagnostic, *observations, specimen, instrument, *networks, provenance]
    return {
        "resourceType": "Bundle",
        "id": _id_of(report, f"bundle.{report.version}"),
        "meta": _meta(original),
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{report.id}"},
        "type": "collection",
        "timestamp": _issued(original),
        "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources],
    }


def _observations(original: Original, shared: Resource) -> list[Resource]:
    """One of each quantity; a corrected share stands inside the Observation of the counted one."""
    report = original.report
    corrected = {one.of: one for one in quantities_of(report) if one.name == "share_corrected"}
    observations = []
    for one in quantities_of(report):
        if one.name != "share_corrected":
            parts = observation(one, report, shared, corrected.get(one.of))
            observations.append(
                _marked(original, {"resourceType": "Observation", "id": _id_of(report, one.key), **parts})
            )
    return observations


def _diagnostic_report(original: Original, specimen: Resource, observations: list[Resource]) -> Resource:
    report = original.report
    coding = [{"system": LOINC, "code": DIFFERENTIAL_PANEL}] if report.rules.mode == "blood" else []
    remarks = [
        *(warning.text for warning in origin_warnings(original)),
        *(finding.text for finding in report.findings),
        *filter(None, [looked_at_words(report)]),
        NO_DIAGNOSIS,
    ]
    resource: Resource = {
        "resourceType": "DiagnosticReport",
        "id": report.id,
        "text": _narrative(original, remarks),
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{report.id}"}],
        "status": status_words(original.status).fhir,
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "HM"}]}],
        "code": {"coding": coding, "text": f"Differential count of a {report.rules.mode} smear"},
        "specimen": [_reference(specimen)],
        "effectivePeriod": _period(report),
        "issued": _issued(original),
        "result": [_reference(one) for one in observations],
        "conclusion": "\n".join(remarks),
    }
    if not coding:
        del resource["code"]["coding"]
    if original.signature is not None:
        resource["resultsInterpreter"] = [{"display": original.signature.by}]
    return _marked(original, resource)


def _narrative(original: Original, remarks: list[str]) -> Resource:
    report = original.report
    counted = f"Differential count of {report.white_cells} {CELLS_CALLED[report.rules.mode]}."
    lines = [
        f"{counted} {status_words(original.status).words}",
        *remarks,
        ATTRIBUTION,
    ]
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>'}


def _specimen(original: Original) -> Resource:
    report = original.report
    specimen: Resource = {
        "resourceType": "Specimen",
        "id": _id_of(report, "specimen"),
        "type": {"text": f"Stained {report.rules.mode} smear"},
    }
    if report.sample_id:
        site = report.provenance.site
        specimen["identifier"] = [{"system": f"urn:leukoscope:specimen:{site}", "value": report.sample_id}]
    return _marked(original, specimen)


def _instrument(report: SampleReport) -> Resource:
    made = report.provenance
    origin = {
        Source.LIVE: "a camera on a microscope",
        Source.REPLAYED: "stored pictures",
        Source.SIMULATED: "a simulated microscope",
    }[made.source]
    calibration = "measured" if made.calibration_measured else "nominal"
    return {
        "resourceType": "Device",
        "id": _id_of(report, "instrument"),
        "identifier": [{"system": "urn:leukoscope:device", "value": f"{made.site}/{made.device}"}],
        "deviceName": [{"name": "leukoscope", "type": "user-friendly-name"}],
        "type": {"text": "Blood-smear instrument"},
        "version": [{"type": {"text": "software"}, "value": made.software_version}],
        "property": [
            {"type": {"text": "Pictures came from"}, "valueCode": [{"text": origin}]},
            {"type": {"text": "Calibration"}, "valueCode": [{"text": f"{made.calibration_id}, {calibration}"}]},
            {
                "type": {"text": "Scale"},
                "valueQuantity": [{"value": made.um_per_px, "unit": "µm per pixel"}],
            },
        ],
    }


def _bundles(report: SampleReport) -> tuple[BundleIdentity, BundleIdentity]:
    return report.provenance.segmenter, report.provenance.classifier


def _network(report: SampleReport, bundle: BundleIdentity, instrument: Resource) -> Resource:
    return {
        "resourceType": "Device",
        "id": _id_of(report, f"network.{bundle.sha256}"),
        "identifier": [{"system": "urn:leukoscope:bundle:sha256", "value": bundle.sha256}],
        "deviceName": [{"name": bundle.name, "type": "model-name"}],
        "type": {"text": f"Neural network, run by {bundle.engine}"},
        "version": [{"type": {"text": "bundle"}, "value": bundle.version}],
        "parent": _reference(instrument),
    }


def _provenance(original: Original, targets: list[Resource], instrument: Resource, tools: list[Resource]) -> Resource:
    report, made = original.report, original.report.provenance
    who = [("performer", _reference(instrument)), *(("assembler", _reference(tool)) for tool in tools)]
    if original.signature is not None:
        who.append(("verifier", {"display": original.signature.by}))
    role = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    entities = [
        _source("urn:leukoscope:calibration", made.calibration_id, "Calibration"),
        _source("urn:leukoscope:rules:sha256", report.rules.sha256, f"Rules {report.rules.id} {report.rules.version}"),
    ]
    if report.version > 1:
        earlier = {"identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{report.id}"}}
        display = f"Version {report.version - 1} of this report"
        entities.append({"role": "revision", "what": {**earlier, "display": display}})
    return {
        "resourceType": "Provenance",
        "id": _id_of(report, "provenance"),
        "target": [_reference(target) for target in targets],
        "occurredPeriod": _period(report),
        "recorded": _issued(original),
        "agent": [{"type": {"coding": [{"system": role, "code": code}]}, "who": agent} for code, agent in who],
        "entity": entities,
    }


def _source(system: str, value: str, display: str) -> Resource:
    return {"role": "source", "what": {"identifier": {"system": system, "value": value}, "display": display}}


def _meta(original: Original) -> Resource:
    labels = _labels(original)
    return {"security": labels} if labels else {"versionId": str(original.report.version)}


def _marked(original: Original, resource: Resource) -> Resource:
    """The resource, labelled where no specimen was examined, or nothing shows that the device recorded it."""
    return resource | {"meta": _meta(original)} if _labels(original) else resource


def _labels(original: Original) -> list[Resource]:
    simulated = original.report.provenance.source is Source.SIMULATED
    return [TEST_DATA] * simulated + [UNCERTAIN] * bool(original.doubt)


def _period(report: SampleReport) -> Resource:
    return {"start": utc_text(report.started_at), "end": utc_text(report.finished_at)}


def _issued(original: Original) -> str:
    """When this version was made: by the count, or by who changed it last."""
    signature = original.signature
    return utc_text(original.report.finished_at if signature is None else signature.at)


def _reference(resource: Resource) -> Resource:
    return {"reference": f"urn:uuid:{resource['id']}"}


def _id_of(report: SampleReport, what: str) -> str:
    return str(uuid5(UUID(report.id), what))
