import re
import tomllib
from pathlib import Path

import pytest

from leukoscope.cli import differential
from leukoscope.errors import SettingsError
from leukoscope.statistics import findings
from leukoscope.statistics.rules import SHIPPED, Rules
from leukoscope.statistics.rules.rule_tables import RESERVED_CODES
from leukoscope.statistics.rules.rules_settings import RulesSettings

LEAST = """
schema_version = 1
id = "ours"
version = "2.1.0"
mode = "blood"

[counting]
min_white_cells = 200
max_unsure_share = 0.1
"""


def written(folder: Path, text: str, name: str = "ours.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_rules_say_who_they_are_and_their_digest_changes_with_every_letter(tmp_path: Path) -> None:
    rules = Rules.read(written(tmp_path, LEAST))
    changed = Rules.read(written(tmp_path, LEAST.replace("200", "201")))
    assert (rules.identity.id, rules.identity.version) == ("ours", "2.1.0")
    assert rules.identity.sha256 != changed.identity.sha256


@pytest.mark.parametrize("mode", ["blood", "marrow"])
def test_the_shipped_rules_are_for_what_their_name_says(mode: str) -> None:
    assert Rules.read(SHIPPED / f"{mode}.toml").mode == mode


@pytest.mark.parametrize(("mode", "recipe"), [("blood", "classifier"), ("marrow", "marrow")])
def test_the_shipped_rules_ask_for_nothing_their_classifier_cannot_name(mode: str, recipe: str) -> None:
    text = (Path(__file__).resolve().parents[2] / "models" / "recipes" / f"{recipe}.toml").read_text("utf-8")
    facts = tomllib.loads(text)["classifier"]
    named = {one["key"] for one in facts["classes"]} | set(facts["groups"])
    assert set(Rules.read(SHIPPED / f"{mode}.toml").asked_for()) <= named


def test_a_folder_without_a_file_of_that_name_gets_the_shipped_rules(tmp_path: Path) -> None:
    assert RulesSettings().open(tmp_path).id == "adult-blood"
    assert RulesSettings(file="marrow.toml").open(tmp_path).mode == "marrow"


def test_a_file_beside_the_settings_comes_before_a_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    written(tmp_path, LEAST, "blood.toml")
    assert RulesSettings().open(tmp_path).id == "ours"


def test_a_missing_file_is_named_and_never_replaced_by_the_shipped_rules(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no rules file at .*site\.toml: check \[rules\]"):
        RulesSettings(file="site.toml").open(tmp_path)


SHARE = '[[share]]\ncode = "eosinophilia"\nwords = "eosinophils"\nof = ["eosinophil"]\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (LEAST + "[counting2]\n", "counting2 is not a known key"),
        (LEAST.replace("schema_version = 1", "schema_version = 2"), "schema_version = 2"),
        (LEAST.replace("0.1\n", "10\n"), r"counting\.max_unsure_share = 10"),
        (LEAST.replace('version = "2.1.0"\n', ""), "version is missing"),
        (LEAST + SHARE, "exactly one of seen, at_least, above and below, found 0"),
        (LEAST + SHARE + "above = 0.06\nbelow = 0.01\n", "exactly one of .*, found 2"),
        (LEAST + SHARE + 'above = 0.06\ntell_from = "perhaps"\n', r"share\.0\.tell_from = 'perhaps'"),
        (LEAST + SHARE + "above = 0.06\n" + SHARE + "above = 0.07\n", "eosinophilia twice"),
        (LEAST + SHARE.replace("eosinophilia", "simulated") + "above = 0.06\n", "simulated are taken"),
        (LEAST.replace('"blood"', '"marrow"'), "ratio of myeloid to erythroid"),
        (LEAST + "[platelets]\nmin_per_red_cell = 0.1\nmax_per_red_cell = 0.05\n", "min_per_red_cell below"),
        ("id = ", "not a readable TOML file"),
    ],
)
def test_what_is_wrong_in_a_rules_file_is_said_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint) as caught:
        Rules.read(written(tmp_path, text))
    assert "ours.toml" in str(caught.value)


def test_a_ratio_of_myeloid_to_erythroid_cells_in_blood_is_refused(tmp_path: Path) -> None:
    table = '[myeloid_erythroid]\nmyeloid = ["band"]\nerythroid = ["erythroblast"]\nmin_ratio = 2\nmax_ratio = 4\n'
    with pytest.raises(SettingsError, match="marrow only"):
        Rules.read(written(tmp_path, LEAST + table))
    assert Rules.read(written(tmp_path, LEAST.replace('"blood"', '"marrow"') + table)).mode == "marrow"


def test_no_shipped_finding_takes_a_code_of_the_device() -> None:
    for mode in ("blood", "marrow"):
        assert not {rule.code for rule in Rules.read(SHIPPED / f"{mode}.toml").share} & RESERVED_CODES


def test_the_codes_that_no_site_can_give_are_just_those_of_the_devices_own_findings() -> None:
    rooms = Path(findings.__file__).parent
    code = "".join(path.read_text("utf-8") for path in sorted(rooms.glob("*findings.py")))
    code += Path(differential.__file__).read_text("utf-8")
    assert set(re.findall(r'(?:[Ff]inding(?:_of)?\(\s*|\n +\()"([a-z_]+)",', code)) == RESERVED_CODES
