"""The import direction, and a domain that needs no Airflow."""

import ast
import subprocess
import sys
from pathlib import Path

import arrears

ROOT = Path(arrears.__file__).parent

# Lower layers first; a module imports from its own layer or a lower one.
LAYERS = [
    {"errors", "failpoints", "folders", "keys", "kept", "csv_cells", "log_filter", "pii", "progress"},
    {"rules"},
    {"contracts", "settings"},
    {"engine", "policy", "portfolio", "portfolio_terms", "source_terms"},
    {"lake", "warehouse"},
    {"sources", "quality", "cases", "contact", "sending", "feedback", "metrics"},
    {"jobs"},
    {"orchestration", "local", "reference"},
    {"cli_shown"},
    {"cli_contact", "cli_feedback", "cli_operate", "cli_outbox", "cli_parity", "cli_trust"},
    {"cli", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def modules():
    return sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.name != "__init__.py")


def layer_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_layers_name_every_package():
    found = {layer_of(path) for path in modules()}

    assert found <= set(LEVEL), f"give {found - set(LEVEL)} a layer"


def test_imports_point_downwards():
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        for name in imported(path)
        if name.startswith("arrears.") and LEVEL[name.split(".")[1]] > LEVEL[layer_of(path)]
    ]

    assert len(modules()) > 20
    assert upward == []


def test_rules_need_only_the_standard_library():
    rules = [path for path in modules() if layer_of(path) == "rules"]
    foreign = [
        f"{path.name} imports {name}"
        for path in rules
        for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not name.startswith(("arrears.rules", "arrears.errors", "__future__"))
    ]

    assert rules
    assert foreign == []


def test_only_orchestration_imports_airflow():
    outside = [
        f"{path.relative_to(ROOT)}"
        for path in modules()
        if layer_of(path) != "orchestration" and any(name.split(".")[0] == "airflow" for name in imported(path))
    ]

    assert outside == []


def test_domain_imports_with_airflow_blocked():
    names = [
        "arrears." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in modules()
        if layer_of(path) not in {"orchestration", "__main__"}
    ]
    script = (
        "import sys, importlib\n"
        "class Block:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.split('.')[0] == 'airflow': raise ImportError('blocked ' + name)\n"
        "sys.meta_path.insert(0, Block())\n"
        f"for name in {names!r}:\n"
        "    if 'migrations' not in name: importlib.import_module(name)\n"
        "print('imported', 'airflow' in sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("imported False")
