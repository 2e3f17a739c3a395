"""The administrator's page of a device: doctor, bundles, file for support, settings without secrets."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.bundles_installed.devices import real_archive
from tests.commands.command_line import leukoscope
from tests.web.conftest import NAME, PIN, WCAG_22, Served, sign_in
from tests.web.made import make_bench

LONG_MS = 150_000
PASSWORD = "correct-horse-battery"


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """One that reports to a broker with a password."""
    made = make_bench(tmp_path)
    (tmp_path / "password").write_text(PASSWORD)
    text = made.read_text()
    broker = '{ driver = "mqtt", host = "127.0.0.1", port = 9, username = "scope", password_file = "PASSWORD" }'
    with_broker = text.replace('{ driver = "none" }', broker.replace("PASSWORD", str(tmp_path / "password")))
    assert with_broker != text
    made.write_text(with_broker)
    return made


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=WCAG_22).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def test_the_doctor_answers_and_the_file_for_support_is_downloaded_without_a_secret(signed_in: Page) -> None:
    page = signed_in
    page.get_by_role("link", name="Upkeep").click()
    assert violations(page) == []
    page.get_by_role("button", name="Check the device").click()
    expect(page.get_by_role("status").first).to_contain_text("being checked")
    page.get_by_role("button", name="Pack the file").click()
    rows = page.locator("#findings tbody tr")
    expect(rows.filter(has_text="storage")).to_contain_text("good", timeout=LONG_MS)
    expect(rows.filter(has_text="broker")).to_contain_text("bad")
    expect(rows.first).to_contain_text("The bench does not run")
    link = page.get_by_role("link", name="Download the file")
    expect(link).to_be_visible(timeout=LONG_MS)
    assert violations(page) == []
    with page.expect_download() as download:
        link.click()
    with tarfile.open(fileobj=io.BytesIO(download.value.path().read_bytes())) as archive:
        files = [archive.extractfile(one) for one in archive.getmembers()]
        texts = b"".join(file.read() for file in files if file is not None).decode()
    assert '"part": "storage"' in texts
    assert '"part": "camera"' not in texts, "the bench may hold it"
    assert PASSWORD not in texts
    assert "S-17" not in texts
    page.get_by_role("button", name="Français").click()
    stored = rows.filter(has_text="stockage")
    expect(stored).to_contain_text("MiB libres ; boîte d'envoi : 1 en attente, 0 envoyés, 0 refusés")
    networks = rows.filter(has_text="classifier, onnx")
    expect(networks).to_contain_text("décisions de référence sur")


def test_a_bundle_is_put_in_force_and_back_by_its_buttons(signed_in: Page, served: Served, bench: Path) -> None:
    archive = real_archive(bench.parent, "99.0.1")
    done = leukoscope("bundle", "install", archive, "--bench", bench, "--allow-unsigned")
    assert done.code == 0, done.err
    page = signed_in
    page.goto(f"{served.address}/upkeep")
    rows = page.locator("#bundles tbody tr")
    installed = rows.filter(has_text="99.0.1")
    expect(installed).to_contain_text("in force")
    installed.get_by_role("button", name="Back to the one before").click()
    expect(page.get_by_role("alert")).to_contain_text("in force from the next start", timeout=LONG_MS)
    expect(installed).to_contain_text("kept")
    installed.get_by_role("button", name="Put in force").click()
    expect(page.get_by_role("alert")).to_contain_text("99.0.1", timeout=LONG_MS)
    expect(installed).to_contain_text("in force")
    assert violations(page) == []
    listed = [json.loads(line) for line in leukoscope("bundle", "list", "--bench", bench, "--json").out.splitlines()]
    assert next(one["state"] for one in listed if one["version"] == "99.0.1") == "in force"
    answer = page.request.post(
        f"{served.address}/upkeep/change",
        form={"do": "use", "name": "--help", "version": "--help"},
        headers={"origin": served.address},
    )
    assert answer.status == 409


def test_settings_are_shown_as_they_are_in_force_by_keyboard_alone_and_without_a_script(
    signed_in: Page, served: Served
) -> None:
    page = signed_in
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Upkeep":
            break
    page.keyboard.press("Enter")
    table = page.locator("#in-force-settings tr")
    expect(table.filter(has_text="counting.white_cells")).to_contain_text("the file", timeout=LONG_MS)
    expect(table.filter(has_text="counting.until")).to_contain_text("the software")
    expect(page.locator("#in-force-settings")).not_to_contain_text(PASSWORD)
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    sign_in(plain, served)
    plain.goto(f"{served.address}/upkeep")
    plain.get_by_role("link", name="Show the settings").click()
    expect(plain.locator("#in-force-settings")).to_contain_text("storage.folder", timeout=LONG_MS)
    context.close()


def test_only_administrators_look_after_the_device(signed_in: Page, served: Served) -> None:
    page = signed_in
    paths = ("/upkeep", "/upkeep/tasks", "/upkeep/settings", "/upkeep/leukoscope-support.tar.gz")
    for name, role in (("Tec", "technician"), ("Rev", "reviewer")):
        page.request.post(
            f"{served.address}/administration/account",
            form={"do": "create", "name": name, "role": role, "secret": "abc-123"},
            headers={"origin": served.address},
        )
    for name in ("Tec", "Rev"):
        page.context.clear_cookies()
        sign_in(page, served, name, "abc-123")
        expect(page.get_by_role("link", name="Upkeep")).to_have_count(0)
        for path in paths:
            assert page.request.get(served.address + path).status == 403, path
        answer = page.request.post(
            f"{served.address}/upkeep/change", form={"do": "check"}, headers={"origin": served.address}
        )
        assert answer.status == 403
    page.context.clear_cookies()
    for path in paths:
        assert page.request.get(served.address + path, headers={"accept": "application/json"}).status == 401, path
    sign_in(page, served, NAME, PIN)
    answer = page.request.get(f"{served.address}{paths[-1]}", headers={"accept": "application/json"})
    assert (answer.status, "pack one" in answer.text()) == (404, True)


def test_settings_that_hold_a_secret_are_left_out(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    bench.write_text(f'{bench.read_text()}[web]\ncertificate = "{tmp_path}/c.pem"\nkey = "{tmp_path}/private.pem"\n')
    shown = {
        one["name"]: one for one in map(json.loads, leukoscope("settings", "--json", "--bench", bench).out.splitlines())
    }
    assert shown["web.key"] == {"name": "web.key", "value": "[left out]", "given": True}
    assert shown["web.certificate"]["value"] == json.dumps(f"{tmp_path}/c.pem")
    assert shown["displays[0].driver"] == {"name": "displays[0].driver", "value": '"snapshot"', "given": True}
    assert shown["counting.white_cells"] == {"name": "counting.white_cells", "value": "3", "given": True}
    assert shown["signing.second_person"]["given"] is False


def test_a_login_in_an_address_is_left_out_of_the_settings(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    kept = [line for line in bench.read_text().splitlines() if not line.startswith("camera")]
    address = "rtsp://anna:s3cret@camera.example/stream"
    bench.write_text(
        "\n".join([f'camera = {{ driver = "gstreamer", pipeline = "rtspsrc location={address}" }}', *kept])
    )
    shown = leukoscope("settings", "--json", "--bench", bench).out
    assert "rtsp://[left out]@camera.example/stream" in shown
    assert "s3cret" not in shown
