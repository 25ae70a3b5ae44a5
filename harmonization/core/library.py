"""The contracts that ship with the product, in `config/mappings/`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harmonization.core.contract import Contract, load_contract
from tenants.core.problems import NotFound

MAPPINGS: Final = Path(__file__).resolve().parents[2] / "config" / "mappings"


def shipped_contracts(folder: Path = MAPPINGS) -> dict[str, Contract]:
    """Every contract of the folder by name.

    Raises:
        InvalidContract: one of them is not valid.
    """
    contracts = (load_contract(path) for path in sorted(folder.glob("*.yaml")))
    return {contract.name: contract for contract in contracts}


def find_contract(name_or_path: str, folder: Path = MAPPINGS) -> Contract:
    """The shipped contract of that name, or the one in the file of that path.

    Raises:
        NotFound: neither; `fix` lists the names.
        InvalidContract: the contract is not valid.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        return load_contract(path)
    shipped = folder / f"{path.name}.yaml"
    if path.name != name_or_path or not shipped.is_file():
        names = ", ".join(sorted(each.stem for each in folder.glob("*.yaml")))
        raise NotFound(
            f"There is no contract {name_or_path!r}.",
            where="contract",
            fix=f"Use auto, the path of a YAML file, or one of: {names}.",
        )
    return load_contract(shipped)
