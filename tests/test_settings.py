"""Flag, environment, config file, default: which one wins, and what a mistake in each is told as."""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from tui.model.node import Cloud
from tui.options import OPTIONS, THEMES
from tui.settings import UsageError, load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def configured(text: str, home: Path) -> Mapping[str, str]:
    path = home / "my.toml"
    path.write_text(text)
    return {"L2BRIDGE_CONFIG": str(path)}


def test_nothing_given_leaves_the_defaults(home: Path) -> None:
    settings = load_settings({}, {})
    assert (settings.cloud, settings.max_changes, settings.read_only, settings.demo) == (None, 50, False, None)
    assert settings.state_dir == home / ".local/state/l2bridge-tui"


def test_a_flag_wins_over_the_environment_over_the_config_file(home: Path) -> None:
    environ = {**configured('context = "file"\nmax-changes = 7\naws-region = "eu-1"', home)}
    environ |= {"L2BRIDGE_CONTEXT": "environment", "L2BRIDGE_MAX_CHANGES": "8"}
    settings = load_settings({"context": "flag"}, environ)
    assert (settings.context, settings.max_changes, settings.aws_region) == ("flag", 8, "eu-1")


def test_an_empty_variable_is_as_good_as_none(home: Path) -> None:
    assert load_settings({}, {**configured('cloud = "gce"', home), "L2BRIDGE_CLOUD": ""}).cloud is Cloud.GCE


def test_every_option_is_read_from_all_three_places(home: Path) -> None:
    texts = {"read-only": "true", "ascii": "yes", "max-changes": "9", "cloud": "aws", "theme": "mono"}
    texts |= {"cluster-cidr": "10.42.0.0/16", "node-subnet": "10.0.0.0/24", "gcp-project": "my-project-1"}
    texts |= {"azure-subscription": "0a1b2c3d-0000-1111-2222-333344445555", "azure-resource-group": "rg-1"}
    texts |= {"node-columns": "node, state", "route-columns": "route"}
    texts |= {"azure-route-table": "pods", "force-lock": "true", "lock-namespace": "ops"}
    given = {option.name: texts.get(option.name, "/some/text") for option in OPTIONS}
    environ = {option.variable: given[option.name] for option in OPTIONS}
    plain = {"read-only": "true", "ascii": "true", "max-changes": "9", "force-lock": "true"}
    lines = [f"{name} = {plain.get(name, repr(text))}" for name, text in given.items()]
    by_flag, by_environment = load_settings(given, {}), load_settings({}, environ)
    assert by_flag == by_environment == load_settings({}, configured("\n".join(lines), home))
    default = load_settings({}, {})
    assert all(getattr(by_flag, option.field) != getattr(default, option.field) for option in OPTIONS)


def test_the_config_folder_is_looked_at_and_the_state_folder_can_be_moved(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "etc"))
    folder = home / "etc/l2bridge-tui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('aws-vpc = "vpc-9"')
    settings = load_settings({}, {"L2BRIDGE_STATE_DIR": "~/state"})
    assert settings.aws_vpc == "vpc-9"
    assert settings.state_dir == home / "state"


def test_ranges_are_canonical_and_come_as_list_or_in_one_text(home: Path) -> None:
    wanted = (ip_network("10.42.0.0/16"), ip_network("2001:db8::/56"))
    environ = {"L2BRIDGE_CLUSTER_CIDR": "10.42.1.5/16, 2001:db8::/56"}
    assert load_settings({}, environ).cluster_cidrs == wanted
    assert load_settings({"cluster-cidr": ["10.42.0.0/16", "2001:db8::/56"]}, {}).cluster_cidrs == wanted
    text = 'cluster-cidr = ["10.42.0.0/16", "2001:db8::/56"]'
    assert load_settings({}, configured(text, home)).cluster_cidrs == wanted


@pytest.mark.parametrize("project", ["123456789012", "p/q", "../x", "Bad Project!", ""])
def test_what_cannot_be_a_project_s_id_is_refused(project: str) -> None:
    with pytest.raises(UsageError, match="--gcp-project must"):
        load_settings({"gcp-project": project}, {})


@pytest.mark.parametrize("project", ["my-project-1", "example.com:my-project"])
def test_a_project_s_id_may_carry_a_domain(project: str) -> None:
    assert load_settings({"gcp-project": project}, {}).gcp_project == project


_SUBSCRIPTION = "0A1b2c3d-0000-1111-2222-333344445555"


def test_a_subscription_is_told_in_one_spelling() -> None:
    assert load_settings({"azure-subscription": _SUBSCRIPTION}, {}).azure_subscription == _SUBSCRIPTION.lower()


@pytest.mark.parametrize(
    "given", ["Production", f"/subscriptions/{_SUBSCRIPTION}", f"{_SUBSCRIPTION}\n", "../x", "", "\uff11" * 8]
)
def test_what_cannot_be_a_subscription_s_id_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--azure-subscription must"):
        load_settings({"azure-subscription": given}, {})


def test_resource_groups_come_one_by_one_or_in_one_text(home: Path) -> None:
    wanted = ("rg-1", "Größe_(x).y")
    assert load_settings({"azure-resource-group": list(wanted)}, {}).azure_resource_groups == wanted
    environ = {"L2BRIDGE_AZURE_RESOURCE_GROUP": "rg-1, Größe_(x).y"}
    assert load_settings({}, environ).azure_resource_groups == wanted
    text = 'azure-resource-group = ["rg-1", "Größe_(x).y"]'
    assert load_settings({}, configured(text, home)).azure_resource_groups == wanted


@pytest.mark.parametrize("given", ["a/b", "ends.", "a b", "x" * 91, "", "a,,b", "a\x1b", "?api-version=1"])
def test_what_cannot_be_a_resource_group_s_name_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--azure-resource-group must"):
        load_settings({"azure-resource-group": [given]}, {})


@pytest.mark.parametrize("name", ["p", "pods", "0-pods_1.x", "x" * 80])
def test_a_route_table_has_a_name_as_azure_takes_it(name: str) -> None:
    assert load_settings({"azure-route-table": name}, {}).azure_route_table == name


@pytest.mark.parametrize(
    "given", ["g/pods", "/subscriptions/s/x", "-pods", "pods.", "pods-", "a b", "x" * 81, "", "t\n"]
)
def test_what_cannot_be_a_route_table_s_name_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--azure-route-table must"):
        load_settings({"azure-route-table": given}, {})


def test_contexts_are_protected_and_read_only_by_their_names(home: Path) -> None:
    text = 'protected = ["prod*", "live"]\n[contexts."prod-eu*"]\nread-only = true\n[contexts.dev]\nread-only = false'
    settings = load_settings({}, configured(text, home))
    assert settings.protected == ("prod*", "live")
    assert [settings.of_context(name).read_only for name in ("prod-eu-1", "prod-us", "dev")] == [True, False, False]
    assert load_settings({}, {"L2BRIDGE_PROTECTED": "prod*, live"}).protected == ("prod*", "live")


def test_a_context_s_table_holds_every_option_that_is_about_one_cluster(home: Path) -> None:
    special = {"kubeconfig", "context", "protected", "log-file"}
    given = {"read-only": "true", "ascii": "true", "force-lock": "true", "max-changes": "9", "cloud": '"aws"'}
    given |= {"theme": '"mono"', "cluster-cidr": '["10.42.0.0/16"]', "node-subnet": '"10.0.0.0/24"'}
    given |= {"azure-subscription": '"0a1b2c3d-0000-1111-2222-333344445555"', "azure-resource-group": '["rg-1"]'}
    given |= {"node-columns": '"node"', "route-columns": '["route"]'}
    options = [option for option in OPTIONS if option.name not in special]
    lines = "\n".join(f"{option.name} = {given.get(option.name, repr('some-text'))}" for option in options)
    settings = load_settings({}, configured(f"[contexts.'prod-*']\n{lines}", home))
    here, elsewhere = settings.of_context("prod-1"), settings.of_context("dev-1")
    assert all(getattr(here, option.field) != getattr(elsewhere, option.field) for option in options)
    assert elsewhere.origins == {}


def test_a_context_s_table_wins_over_the_file_and_loses_to_flag_and_environment(home: Path) -> None:
    text = 'theme = "light"\nmax-changes = 5\naws-region = "eu-1"\n[contexts.p]\ntheme = "mono"\nmax-changes = 6\n'
    environ = configured(text + 'gcp-project = "from-the-file"\nascii = true', home)
    environ = {**environ, "L2BRIDGE_MAX_CHANGES": "7"}
    settings = load_settings({"gcp-project": "from-a-flag"}, environ).of_context("p")
    assert (settings.theme, settings.max_changes, settings.aws_region) == ("mono", 7, "eu-1")
    assert (settings.gcp_project, settings.ascii) == ("from-a-flag", True)
    assert settings.origins == {
        "theme": f"{home / 'my.toml'}, line 5: 'theme' in [contexts.\"p\"]",
        "max-changes": "L2BRIDGE_MAX_CHANGES",
        "aws-region": f"{home / 'my.toml'}, line 3: 'aws-region'",
        "gcp-project": "--gcp-project",
        "ascii": f"{home / 'my.toml'}, line 8: 'ascii' in [contexts.\"p\"]",
    }
    assert load_settings({}, environ).of_context("q").theme == "light"


def test_of_several_tables_that_match_the_first_decides_about_each_key(home: Path) -> None:
    text = '[contexts."prod-eu"]\nread-only = false\n[contexts."prod-*"]\nread-only = true\ntheme = "mono"\n'
    settings = load_settings({}, configured(text + '[contexts."*"]\ntheme = "light"\nascii = true', home))
    told = [settings.of_context(name) for name in ("prod-eu", "prod-us", "dev")]
    assert [(one.read_only, one.theme, one.ascii) for one in told] == [
        (False, "mono", True),
        (True, "mono", True),
        (False, "light", True),
    ]


def test_the_tables_of_the_readme_can_be_used(home: Path, repository: Path) -> None:
    text = (repository / "README.md").read_text().split("```toml\n")[1].split("```")[0]
    settings = load_settings({}, configured(text, home)).of_context("prod-eu")
    assert (settings.read_only, settings.gcp_project, settings.theme) == (True, "prod-eu-4711", "contrast")


def test_auto_takes_back_a_cloud_named_elsewhere(home: Path) -> None:
    assert load_settings({"cloud": "auto"}, configured('cloud = "gce"', home)).cloud is None


def test_a_switch_in_the_environment_can_take_one_in_the_file_back(home: Path) -> None:
    environ = {**configured("read-only = true", home), "L2BRIDGE_READ_ONLY": "false"}
    assert not load_settings({}, environ).read_only


def test_the_environment_does_not_lift_what_makes_a_context_read_only(home: Path) -> None:
    environ = {**configured("[contexts.prod]\nread-only = true", home), "L2BRIDGE_READ_ONLY": "false"}
    settings = load_settings({}, environ)
    assert settings.of_context("prod").read_only
    assert not settings.of_context("dev").read_only


@pytest.mark.parametrize(
    ("flags", "environ", "sentence"),
    [
        ({"cloud": "ec2"}, {}, "--cloud must be one of auto, aws, gce, azure, none, not 'ec2'"),
        ({"theme": "pink"}, {}, f"--theme must be one of {', '.join(THEMES)}, not 'pink'"),
        ({"max-changes": "0"}, {}, "--max-changes must be a whole number from 1, not 0"),
        ({"max-changes": "many"}, {}, "--max-changes must be a whole number from 1, not 'many'"),
        ({"max-changes": "²"}, {}, "--max-changes must be a whole number from 1, not '²'"),
        ({"cluster-cidr": ["10.42.0.0"]}, {}, "--cluster-cidr must be a CIDR such as 10.42.0.0/16, not '10.42.0.0'"),
        ({"cluster-cidr": [""]}, {}, "--cluster-cidr must be a CIDR such as 10.42.0.0/16, or a list of them"),
        ({"context": " "}, {}, "--context must not be empty"),
        ({}, {"L2BRIDGE_READ_ONLY": "perhaps"}, "L2BRIDGE_READ_ONLY must be true or false, not 'perhaps'"),
        ({}, {"L2BRIDGE_NODE_SUBNET": "x/y"}, "L2BRIDGE_NODE_SUBNET must be a CIDR such as 10.42.0.0/16, not 'x/y'"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_place(
    flags: Mapping[str, object], environ: Mapping[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError) as raised:
        load_settings(flags, environ)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\ncloud = ", "the config file FILE is not valid TOML: Invalid value (at the end, line 2)"),
        ("cloud = " + "[" * 10_000, "the config file FILE is not valid TOML: maximum recursion depth exceeded"),
        ("\ncloud = x", "the config file FILE is not valid TOML: Invalid value (at line 2, column 9)"),
        ("\n\nread_only = true", "FILE, line 3: 'read_only' is unknown, did you mean 'read-only'?"),
        ('[kubernetes]\ncontext = "x"', "FILE, line 1: 'kubernetes' is unknown; known are kubeconfig, context"),
        ('# theme\nmax-changes = "many"', "FILE, line 2: 'max-changes' must be a whole number from 1, not 'many'"),
        ("max-changes = true", "FILE, line 1: 'max-changes' must be a whole number from 1, not True"),
        ("context = 3", "FILE, line 1: 'context' must be text"),
        ("read-only = 1", "FILE, line 1: 'read-only' must be true or false, not 1"),
        ('cluster-cidr = ["10.42.0.0/16", 7]', "FILE, line 1: 'cluster-cidr' must be a CIDR such as 10.42.0.0/16"),
        ('contexts = "prod"', "FILE, line 1: 'contexts' must be a table such as [contexts.\"prod*\"]"),
        ("[contexts]\nread-only = true", "FILE, line 2: 'read-only' in [contexts] must be a table such as [contexts."),
        ("[contexts.p]\n\nread-only = 1", "FILE, line 3: 'read-only' in [contexts.\"p\"] must be true or false, not 1"),
        (
            "theme = 'mono'\n[ contexts . 'p*' ] # x\ntheme = 'pink'",
            "FILE, line 3: 'theme' in [contexts.\"p*\"] must be one of",
        ),
        (
            "[contexts]\n'p*' = { theme = 'mono' }\nq = { theme = 'pink' }",
            "FILE, line 3: 'theme' in [contexts.\"q\"] must be one of",
        ),
        ('contexts."p*".theme = "pink"', "FILE, line 1: 'theme' in [contexts.\"p*\"] must be one of"),
        (
            "theme = 'mono'\n[contexts.nowhere]\nread_only = true",
            "FILE, line 3: 'read_only' in [contexts.\"nowhere\"] is unknown, did you mean 'read-only'?",
        ),
        (
            "[contexts.p]\nprotected = ['p']",
            "FILE, line 2: 'protected' in [contexts.\"p\"] holds for all contexts: say it above the first table",
        ),
        ('[contexts."a.b"]\ncloud = 1', "FILE, line 2: 'cloud' in [contexts.\"a.b\"] must be one of auto, aws"),
        ("protected = [7]", "FILE, line 1: 'protected' must be text"),
        ('"esc\\u001b[2J" = 1', "FILE, line 1: 'esc\\\\x1b[2J' is unknown; known are"),
    ],
)
def test_a_mistake_in_the_config_file_is_named_with_its_line(text: str, sentence: str, home: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load_settings({}, configured(text, home))
    assert str(raised.value).startswith(sentence.replace("FILE", str(home / "my.toml")))


def test_a_config_file_that_was_named_must_be_there_and_be_text(home: Path) -> None:
    missing = home / "missing.toml"
    with pytest.raises(UsageError, match=r"missing\.toml does not exist"):
        load_settings({"config": str(missing)}, {})
    (home / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"binary\.toml cannot be read: it is not UTF-8"):
        load_settings({"config": str(home / "binary.toml")}, {})
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_settings({"config": str(home)}, {})


def test_the_themes_that_may_be_named_are_those_of_the_screen() -> None:
    from tui.screen import themes

    assert tuple(themes.THEMES) == THEMES
