"""Variables of config/variables: an edited one rebuilds its users, one that varies by itself does not."""
import pytest

SOURCE = "SELECT * FROM (VALUES (1)) t(id)\n"


def reason(project, target="main.t"):
    run = project.run_json().models[target]
    return run["run_type"], run["run_reason"]


@pytest.mark.parametrize("file", ["constants", "global", "local"])
@pytest.mark.parametrize("value", ["getvariable('ondatra_run_time')", "now()", "ondatra_load_id()", "(SELECT uuid())"])
def test_a_variable_that_varies_rebuilds_nothing(project, file, value):
    project.write({
        f"config/variables/{file}.sql": f"SET VARIABLE loaded = {value};\n",
        "models/raw/src.sql": SOURCE,
        "models/t.sql": "-- @kind: append\nSELECT id, getvariable('loaded')::VARCHAR AS loaded FROM raw.src\n",
    })
    project.run_json()
    assert reason(project)[0] == "skip"
    project.write({"models/raw/src.sql": "SELECT * FROM (VALUES (2)) t(id)\n"})
    assert reason(project)[0] == "incremental"
    assert {r["id"] for r in project.sql("SELECT id FROM main.t")} == {1, 2}, "the append lost its history"
    project.write({f"config/variables/{file}.sql": f"SET  VARIABLE loaded = -- by nobody\n {value};\n"})
    assert reason(project)[0] == "skip"


@pytest.mark.parametrize("file", ["constants", "global", "local"])
def test_an_edited_variable_rebuilds_its_users(project, file):
    project.write({
        f"config/variables/{file}.sql": "SET VARIABLE least = 1;\n",
        "models/t.sql": "SELECT getvariable('least') AS id\n",
        "models/u.sql": "SELECT 1 AS id\n",
    })
    project.run_json()
    project.write({f"config/variables/{file}.sql": "SET VARIABLE least = 2;\n"})
    models = project.run_json().models
    assert (models["main.t"]["run_reason"], models["main.u"]["run_type"]) == ("macro changed: least", "skip")
    assert project.value("SELECT id FROM main.t") == 2


@pytest.mark.parametrize("value", ["${LEAST}", "'${LEAST}'::INTEGER", "${LEAST} + length('${LEAST}')"])
def test_a_changed_env_file_rebuilds_the_users_of_what_it_sets(project, value):
    project.write({".env": "LEAST=1\n", "config/variables/constants.sql": f"SET VARIABLE least = {value};\n",
                   "models/t.sql": "SELECT getvariable('least') AS id\n"})
    project.run_json()
    assert reason(project)[0] == "skip"
    project.write({".env": "LEAST=2\n"})
    assert reason(project) == ("backfill", "macro changed: least")


def test_a_constant_behind_another_or_behind_a_macro_of_its_name_counts(project):
    project.write({
        "config/variables/constants.sql": "SET VARIABLE a = 1; SET VARIABLE least = getvariable('a') + 1;\n",
        "config/macros/m.sql": "CREATE MACRO least() AS getvariable('least');\n",
        "models/t.sql": "SELECT least() AS id\n",
    })
    project.run_json()
    project.write({"config/variables/constants.sql": "SET VARIABLE a = 2; SET VARIABLE least = getvariable('a') + 1;\n"})
    assert reason(project) == ("backfill", "macro changed: least")
    assert project.value("SELECT id FROM main.t") == 3


def test_a_merge_over_a_variable_that_varies_is_read_in_full(project):
    project.write({
        "config/variables/constants.sql": "SET VARIABLE loaded = getvariable('ondatra_load_id');\n",
        "models/raw/src.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM (VALUES (1), (2)) t(id)\n",
        "models/t.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT id, getvariable('loaded') AS loaded FROM raw.src\n",
    })
    project.run_json()
    project.write({"models/raw/src.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM (VALUES (1), (2), (3)) t(id)\n"})
    warnings = project.run_json().models["main.t"]["warnings"]
    assert warnings == ["main.t is evaluated in full: it calls getvariable()"]
    assert project.value("SELECT count(DISTINCT loaded) FROM main.t") == 1


@pytest.mark.parametrize("body", ["SELECT cfg('eu') AS id", "SELECT getvariable('cfg_' || 'eu') AS id"])
def test_a_constant_read_by_a_computed_name_counts(project, body):
    project.write({
        "config/macros/m.sql": "CREATE MACRO cfg(n) AS getvariable('cfg_' || n);\n",
        "models/t.sql": body,
        "models/u.sql": "SELECT 1 AS id\n",
    })
    project.run_json()
    constants = "config/variables/constants.sql"
    project.write({constants: "SET VARIABLE cfg_eu = 5;\n"})
    assert reason(project) == ("backfill", "macro changed: cfg_eu")
    assert reason(project) == ("skip", "no dependencies")
    project.write({constants: "SET VARIABLE cfg_eu = 6;\n"})
    models = project.run_json().models
    assert (models["main.t"]["run_reason"], models["main.u"]["run_type"]) == ("macro changed: cfg_eu", "skip")
    assert project.value("SELECT id FROM main.t") == 6
