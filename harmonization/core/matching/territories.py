"""Names of countries, states and regions, by which a column of them is known whatever it is called."""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
argentina|australia|austria|belgium|brazil|canada|chile|china|colombia|czechia|denmark|egypt|finland|france|germany
greece|hong kong|hungary|india|indonesia|ireland|israel|italy|japan|luxembourg|malaysia|mexico|netherlands|new zealand
norway|peru|philippines|poland|portugal|romania|saudi arabia|singapore|south africa|south korea|spain|sweden
switzerland|taiwan|thailand|turkey|united arab emirates|united kingdom|united states|vietnam
deutschland|österreich|schweiz|frankreich|italien|spanien|polen|belgique|suisse|allemagne|españa|méxico|brasil|italia
alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|district of columbia|florida|georgia|hawaii
idaho|illinois|indiana|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi
missouri|montana|nebraska|nevada|new hampshire|new jersey|new mexico|new york|north carolina|north dakota|ohio|oklahoma
oregon|pennsylvania|rhode island|south carolina|south dakota|tennessee|texas|utah|vermont|virginia|washington
west virginia|wisconsin|wyoming
alberta|british columbia|manitoba|new brunswick|newfoundland and labrador|nova scotia|ontario|prince edward island
quebec|saskatchewan|england|scotland|wales|northern ireland
baden-württemberg|bayern|bavaria|berlin|brandenburg|bremen|hamburg|hessen|mecklenburg-vorpommern|niedersachsen
nordrhein-westfalen|rheinland-pfalz|saarland|sachsen|sachsen-anhalt|schleswig-holstein|thüringen
new south wales|queensland|south australia|tasmania|victoria|western australia
île-de-france|bretagne|normandie|occitanie|nouvelle-aquitaine|grand est|hauts-de-france|auvergne-rhône-alpes
andalucía|cataluña|galicia|lombardia|lazio|toscana|veneto|piemonte|sicilia
são paulo|rio de janeiro|minas gerais|bahia|paraná|santa catarina|rio grande do sul|pernambuco|ceará
maharashtra|karnataka|tamil nadu|delhi|gujarat|kerala|west bengal|telangana|uttar pradesh|rajasthan
"""
TERRITORIES: Final = frozenset(name for line in _NAMES.split("\n") for name in line.split("|") if name)
