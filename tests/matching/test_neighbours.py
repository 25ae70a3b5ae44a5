"""What a file's columns say of each other, and headers in the tongues of the trade."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from harmonization.core.contract import Contract, parse_contract
from harmonization.core.engine import harmonize_file
from harmonization.core.matching.columns import match_columns
from harmonization.core.matching.knowledge import learn
from harmonization.core.matching.propose import propose
from harmonization.core.matching.tongues import spoken, tongue_of
from tests.matching.test_matching import propose_for, target_of

GERMAN = """Tag;Kampagne;Artikel;GTIN;Fläche;Einblendungen;Klicks;Kosten (EUR);Umsatz 14 Tage (EUR);Bestellungen
01.11.2026;Chips;Chips Paprika;04006381333931;Suche oben;1.200;12;8,40;60,00;3
13.11.2026;Chips;Nüsse;00036000291452;Startseite;900;7;5,10;0,00;0
"""


def test_a_german_file_is_harmonised_without_a_model(tmp_path: Path, contracts: list[Contract]) -> None:
    path = tmp_path / "bericht.csv"
    path.write_text(GERMAN, encoding="utf-8")
    proposal = propose(path, contracts)
    assert [column.target for column in proposal.columns] == [
        "period_start", "campaign_name", "product_name", "gtin14", "placement", "impressions", "clicks", "spend",
        "sales", "orders",
    ]  # fmt: skip
    assert (proposal.currency.how, proposal.currency.code, proposal.decimal_sign) == ("header", "EUR", ",")
    sales = proposal.columns[8].attribution
    assert sales is not None
    assert sales.click_days == 14
    report = harmonize_file(path, parse_contract(proposal.contract_yaml))
    assert (report.rows_in, report.rows_out) == (2, 2), report.quarantine
    assert sorted(total.value for total in report.attributed) == [3, 60]
    assert [total.spend for total in report.totals] == [Decimal("13.5")]
    assert [total.impressions for total in report.totals] == [2100]


@pytest.mark.parametrize(
    ("tongue", "headers", "targets"),
    [
        ("fr", "Date|Nom de la campagne|Emplacement|Affichages|Clics|Dépenses|Chiffre d'affaires 14 j|Taux de clics",
         "period_start campaign_name placement impressions clicks spend sales reported_ctr"),
        ("es", "Fecha|ID de campaña|Palabra clave|Impresiones|Clics|Gasto|Ventas (14 días)|Unidades vendidas",
         "period_start campaign_id keyword impressions clicks spend sales units"),
        ("pt", "Data|Nome da campanha|Impressões|Cliques|Custo|Receita|Pedidos|Taxa de conversão",
         "period_start campaign_name impressions clicks spend sales orders reported_cvr"),
        ("it", "Data|Campagna|Impressioni|Clic|Spesa|Fatturato|Ordini|Costo per clic",
         "period_start campaign_name impressions clicks spend sales orders reported_cpc"),
        ("de", "Datum|Anzeigengruppe|Suchbegriff|Werbeflaeche|Klickrate|Kosten pro Klick|Neukunden Umsatz|Tagesbudget",
         "period_start ad_group_name search_term placement reported_ctr reported_cpc sales -"),
    ],
)  # fmt: skip
def test_tongues_of_the_trade(tongue: str, headers: str, targets: str) -> None:
    named = headers.split("|")
    assert tongue_of(named) == tongue
    proposed = propose_for(dict.fromkeys(named, ()))
    assert [column.target or "-" for column in proposed.values()] == targets.split()


def test_an_english_file_hears_no_other_tongue() -> None:
    headers = ["Date", "Campaign", "Tag", "Note", "Total Sales", "Impressions", "Clicks"]
    assert tongue_of(headers) is None
    assert ("tag",) in spoken(headers).phrases
    assert propose_for(dict.fromkeys(headers, ()))["Tag"].target is None


def test_the_only_column_of_dates_is_the_date_of_the_rows() -> None:
    dates, counts = ("01.11.2026", "02.11.2026"), ("10", "20")
    assert propose_for({"Qqq": dates, "Clicks": counts})["Qqq"].target == "period_start"
    two = propose_for({"Qqq": dates, "Zzz": dates, "Day": dates})
    assert [column.target for column in two.values()] == [None, None, "period_start"]
    # A header that is understood says what its dates are.
    assert propose_for({"campaign start date": dates, "Clicks": counts})["campaign start date"].target is None


def test_stamps_of_synchronisation_are_nobody_s_field() -> None:
    stamps = ("2026-10-11T05:30:04.120", "2026-10-12T05:30:04.120")
    for header in ("_fivetran_synced", "_airbyte_extracted_at", "_loaded_at", "ingested_at", "_sdc_batched_at"):
        assert target_of(header, *stamps) is None, header
        assert propose_for({header: stamps, "clicks": ("1", "2")})[header].target is None, header


def test_a_bare_name_is_that_of_the_id_beside_it() -> None:
    table = ["campaign_id", "name", "clicks", "advertiser_id"]
    assert propose_for(dict.fromkeys(table, ()))["name"].target == "campaign_name"
    assert propose_for(dict.fromkeys([*table, "campaign_name"], ()))["name"].target is None
    assert propose_for(dict.fromkeys(["ad_group_id", "name", "campaign_id"], ()))["name"].target is None


def test_beside_a_day_start_and_end_are_the_campaign_s() -> None:
    dates = ("2026-02-01", "2026-02-02")
    proposed = propose_for({"day": dates, "start_date": dates, "end_date": dates})
    assert [column.target for column in proposed.values()] == ["period_start", None, None]
    proposed = propose_for({"start_date": dates, "end_date": dates})
    assert [column.target for column in proposed.values()] == ["period_start", "period_end"]


def test_places_by_value_and_the_finest_of_them() -> None:
    states, cities = ("Ohio", "Oregon", "Ontario"), ("Columbus", "Eugene", "Toronto")
    assert target_of("state", *states) == "geo"
    assert target_of("state", "active", "paused", "active") == "status"
    proposed = propose_for({"country": ("Canada", "Canada", "France"), "state": states, "city": cities})
    assert [column.target for column in proposed.values()] == [None, None, "geo"]


def test_a_currency_in_the_header_is_money() -> None:
    assert propose_for({"Impressions (EUR)": ["1.50", "2.50"]})["Impressions (EUR)"].target is None
    assert propose_for({"Cost (EUR)": ["1.50", "2.50"]})["Cost (EUR)"].target == "spend"


def test_revenue_of_an_ad_beside_revenue_of_sales_is_what_it_cost() -> None:
    proposed = propose_for({"ad_revenue": ("67.20", "33.10"), "sales_revenue": ("689.30", "59.90")})
    assert [column.target for column in proposed.values()] == ["spend", "sales"]
    assert target_of("ad_revenue", "67.20", "33.10") == "sales"


def test_rows_of_actions_tell_what_their_windows_count() -> None:
    table = {"action_type": ("purchase", "lead"), "value": ("211.94", "64.50"), "_7_d_click": ("180.44", "64.50")}
    proposed = propose_for(table)
    assert [column.target for column in proposed.values()][1:] == ["sales", "sales"]
    counted = propose_for(table | {"value": ("5.0", "2.0"), "_7_d_click": ("4.0", "2.0")})
    outcome = counted["_7_d_click"].attribution
    assert outcome is not None
    assert (outcome.metric, outcome.click_days, outcome.touch) == ("orders", 7, "click")


def test_windows_that_another_network_documents_are_not_taken_over(contracts: list[Contract]) -> None:
    knowledge = learn(contracts)
    known = [spelled.meaning.outcome for spelled in knowledge.lookup("purchases")]
    assert any(outcome is not None and outcome.click_days for outcome in known)
    outcome = match_columns(["purchases"], [[]], knowledge).columns[0].attribution
    assert outcome is not None
    assert (outcome.click_days, outcome.view_days) == (None, None)


def test_a_file_of_a_thousand_columns(tmp_path: Path, contracts: list[Contract]) -> None:
    path = tmp_path / "wide.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["Date", *(f"Metric {n}" for n in range(999))], ["2026-02-01", *["1"] * 999]])
    assert len(propose(path, contracts).columns) == 1000
