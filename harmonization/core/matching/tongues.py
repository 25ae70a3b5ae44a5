"""The usual words of the trade in German, French, Spanish, Portuguese and Italian.

A file is read in one of them, beside English, where several of its headers have words of it that English has not. Words
are written without their accents; in German also with `ae`, `oe`, `ue`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Final

from harmonization.core.matching.lexicon import Concept, Kind, Lexicon, lexicon
from harmonization.core.matching.words import JOINED, split_words

#: Headers with words of a tongue, and their share, from which a file speaks it.
_ENOUGH: Final = 2
_SHARE: Final = 0.2
#: Tongues that name the thing first and tell of it afterwards.
_HEAD_FIRST: Final = frozenset({"fr", "es", "pt", "it"})
_WIDEST: Final = 200
_ENDINGS: Final = {
    "de": ("", "e", "er", "es", "en", "em"), "fr": ("", "e"), "es": ("o", "a"), "pt": ("o", "a"),
    "it": ("o", "a", "i", "e"),
}  # fmt: skip

#: Per concept its words in German; French; Spanish; Portuguese; Italian.
_ORDER: Final = ("de", "fr", "es", "pt", "it")
_ENTRIES: Final[tuple[tuple[Kind, str, str], ...]] = (
    ("thing", "day", "tag | datum | berichtstag | berichtsdatum; jour | date du jour; fecha | dia; data | dia;"
     " data | giorno"),
    ("thing", "start", "startdatum | anfangsdatum | beginn; date de debut | date debut"
     " | debut; fecha de inicio | fecha inicio"
     " | inicio | desde; data de inicio | data inicio | inicio | desde; data di inizio | data inizio | inizio | dal"),
    ("thing", "end", "enddatum | ende | bis; date de fin | date fin | fin; fecha de fin | fecha fin"
     " | fecha de finalizacion"
     " | finalizacion | hasta; data de fim | data fim | data de termino | termino | ate; data di fine"
     " | data fine | fine"),
    ("thing", "hour", "stunde; heure; hora; hora; ora"),
    ("thing", "instant", "zeitstempel | zeitpunkt; horodatage; fecha y hora | marca de tiempo;"
     " data e hora; data e ora"),
    ("thing", "account", "konto | werbekonto | werbetreibender | werbekunde; compte | annonceur; cuenta | anunciante;"
     " conta | anunciante; inserzionista"),
    ("thing", "campaign", "kampagne | kampagnen | werbekampagne; campagne; campana; campanha; campagna"),
    ("thing", "ad_group", "anzeigengruppe | anzeigengruppen | werbegruppe; groupe d annonces | groupe annonces"
     " | groupe de publicites | ensemble de publicites | ensemble d annonces; grupo de anuncios"
     " | conjunto de anuncios;"
     " grupo de anuncios | conjunto de anuncios; gruppo di annunci | gruppo annunci | gruppo di inserzioni"),
    ("thing", "portfolio", "portfolio; portefeuille; portafolio | cartera; portfolio; portafoglio"),
    ("thing", "ad", "anzeige | werbeanzeige; annonce | publicite; anuncio | publicidad; anuncio | publicidade;"
     " annuncio | inserzione"),
    ("thing", "creative", "werbemittel; visuel; creatividad; criativo; creativita"),
    ("thing", "keyword", "schlusselwort | schlagwort; mot cle"
     " | mot clef; palabra clave; palavra chave; parola chiave"),
    ("thing", "search_term", "suchbegriff | suchanfrage | suchbegriff eines kunden | suchbegriff des kunden"
     " | kundensuchbegriff;"
     " terme de recherche | requete | terme de recherche client | terme de recherche du client;"
     " termino de busqueda | busqueda | termino de busqueda del cliente;"
     " termo de pesquisa | termo de busca | termo de pesquisa do cliente;"
     " termine di ricerca | termine ricerca | termine ricerca cliente | termine di ricerca cliente"),
    ("thing", "product", "artikel | produkt | beworbenes produkt | beworbener artikel; produit | article;"
     " producto | articulo; produto | artigo; prodotto | articolo"),
    ("thing", "sku", "artikelnummer | artikel nr | produktnummer; reference produit | reference;"
     " referencia; referencia | codigo do produto; codice articolo | codice prodotto"),
    ("thing", "sku", "beworbene sku; sku promu | sku promue; sku anunciado; sku anunciado; sku pubblicizzato"
     " | sku promosso"),
    ("thing", "asin", "beworbene asin; asin promu | asin promue; asin anunciado; asin anunciado;"
     " asin pubblicizzato | asin promosso"),
    ("thing", "gtin", "strichcode; code barre | code barres; codigo de barras; codigo de barras; codice a barre"),
    ("thing", "brand", "marke; marque; marca; marca; marca | marchio"),
    ("thing", "retailer", "handler | haendler | handelspartner; enseigne | distributeur; minorista; varejista;"
     " rivenditore | insegna"),
    ("thing", "seller", "verkaufer | verkaeufer | lieferant; vendeur | fournisseur; vendedor | proveedor;"
     " vendedor | fornecedor; venditore | fornitore"),
    ("thing", "placement", "flache | flaeche | werbeflache | werbeflaeche | platzierung | werbeplatz | seitentyp;"
     " emplacement; ubicacion | emplazamiento; posicionamento | local de exibicao; posizionamento"),
    ("thing", "device", "gerat | geraet | geratetyp | geraetetyp | endgerat; appareil | terminal; dispositivo;"
     " dispositivo; dispositivo"),
    ("thing", "match_type", "ubereinstimmungstyp | uebereinstimmungstyp; type de correspondance;"
     " tipo de concordancia | tipo de coincidencia; tipo de correspondencia; tipo di corrispondenza"),
    ("thing", "audience", "zielgruppe; public cible; publico | audiencia; publico | audiencia; pubblico"),
    ("thing", "geo_postal", "postleitzahl | plz; code postal; codigo postal; cep | codigo postal; cap"),
    ("thing", "geo_city", "stadt | ort; ville; ciudad; cidade; citta"),
    ("thing", "geo_region", "bundesland; departement; provincia; provincia; regione | provincia"),
    ("thing", "geo_country", "land; pays; pais; pais; paese"),
    ("thing", "store", "filiale | geschaft | geschaeft; magasin | point de vente; tienda; loja;"
     " negozio | punto vendita"),
    ("thing", "category", "kategorie | produktkategorie | warengruppe; categorie | rayon; categoria; categoria;"
     " categoria | reparto"),
    ("thing", "currency", "wahrung | waehrung; devise | monnaie; moneda | divisa; moeda; valuta"),
    ("thing", "purchased", "gekauftes produkt | gekaufter artikel; produit achete; producto comprado;"
     " produto comprado; prodotto acquistato"),
    ("trait", "id", "nummer | kennung; identifiant | numero; identificador | codigo | numero;"
     " identificador | codigo | numero; identificativo | codice | numero"),
    ("trait", "name", "bezeichnung | titel | beschreibung; nom | libelle | intitule | titre;"
     " nombre | titulo | descripcion;"
     " nome | titulo | descricao; nome | titolo | descrizione"),
    ("trait", "type", "typ | art; type; tipo; tipo; tipo"),
    ("trait", "status", "zustand | auslieferung; statut | etat | diffusion; estado | entrega; situacao | estado"
     " | veiculacao; stato | pubblicazione"),
    ("measure", "impressions", "einblendung | einblendungen | impressionen | ausspielungen; affichage;"
     " impresion | impresiones; impressao | impressoes | exibicoes; impressione | impressioni"),
    ("measure", "viewable", "sichtbare impressionen | sichtbare einblendungen; impression visible;"
     " impresiones visibles; impressoes visiveis; impressioni visibili"),
    ("measure", "clicks", "klick; clic; clic; clique; clic"),
    ("measure", "spend", "kosten | ausgabe | ausgaben | ausgegebener betrag | ausgegeben | werbekosten"
     " | werbeausgaben | mediakosten | gesamtkosten;"
     " depense | depense publicitaire | cout | cout total | montant depense | investissement;"
     " gasto | coste | costo | inversion | importe gastado | gasto publicitario;"
     " gasto | custo | investimento | valor gasto | valor investido; spesa | costo | importo speso | investimento"),
    ("measure", "fees", "gebuhr | gebuhren | gebuehren; frais; comision | comisiones; taxa de servico; commissione"),
    ("measure", "reach", "reichweite; couverture | portee; alcance; alcance; copertura"),
    ("measure", "frequency", "frequenz | haufigkeit; frequence | repetition; frecuencia; frequencia; frequenza"),
    ("measure", "video_views", "videoaufrufe | videoansichten; vue video | lecture video; visualizaciones de video"
     " | reproducciones de video; visualizacoes de video; visualizzazioni video"),
    ("measure", "sales", "umsatz | umsatze | umsaetze | erlos | erlose | erloese | verkaufe | verkaeufe"
     " | bestellwert;"
     " vente | chiffre d affaire | chiffre affaire | ca | revenu; venta | ingreso | facturacion"
     " | valor de conversion;"
     " venda | receita | faturamento | valor de venda; vendita | vendite | fatturato | ricavo | ricavi"),
    ("measure", "orders", "bestellung | bestellungen | auftrag | auftrage | auftraege | kauf | kaufe | kaeufe"
     " | konversion | konversionen; commande | achat; pedido | compra | conversion | conversiones | transacciones;"
     " pedido | compra | conversao | conversoes | transacoes;"
     " ordine | ordini | acquisto | acquisti | conversione | conversioni"),
    ("measure", "units", "einheit | einheiten | stuck | stueck | stuckzahl | stueckzahl | menge | absatz"
     " | verkaufte einheiten | verkaufte stuck; unite | unite vendue | quantite | quantite vendue | piece vendue;"
     " unidad | unidades | unidades vendidas | cantidad; unidade | unidades vendidas | quantidade | itens vendidos;"
     " unita | unita vendute | quantita | pezzi | pezzi venduti"),
    ("measure", "add_to_cart", "warenkorb | warenkorbe | in den warenkorb | einkaufswagen"
     " | in den einkaufswagen; ajout au panier | ajout panier | panier;"
     " anadidos al carrito | agregados al carrito; adicao ao carrinho | adicoes ao carrinho;"
     " aggiunta al carrello | aggiunte al carrello"),
    ("measure", "detail_page_views", "produktseitenaufrufe | detailseitenaufrufe; vue de la fiche produit"
     " | vue produit;"
     " visitas a la pagina de producto | vistas de producto; visualizacoes de produto; visualizzazioni del prodotto"),
    ("measure", "views", "ansicht | ansichten | aufruf | aufrufe; vue; vista | visualizacion | visualizaciones;"
     " visualizacao | visualizacoes; visualizzazione | visualizzazioni"),
    ("measure", "value", "wert | betrag; valeur | montant; valor | importe; valor | montante; valore | importo"),
    ("ratio", "ctr", "klickrate | klickquote; taux de clic; tasa de clics | porcentaje de clics; taxa de cliques;"
     " tasso di clic | percentuale di clic"),
    ("ratio", "cpc", "kosten pro klick | klickkosten | klickpreis; cout par clic; coste por clic | costo por clic;"
     " custo por clique; costo per clic"),
    ("ratio", "cpm", "tausenderkontaktpreis | tausend kontakt preis | tkp; cout pour mille | cout par mille;"
     " coste por mil | costo por mil; custo por mil; costo per mille"),
    ("ratio", "cpa", "kosten pro bestellung | kosten pro kauf; cout par commande | cout par acquisition;"
     " coste por pedido | costo por pedido | coste por adquisicion; custo por pedido | custo por aquisicao;"
     " costo per ordine | costo per acquisizione"),
    ("ratio", "acos", "kosten umsatz relation; part du cout publicitaire; coste publicitario de las ventas;"
     " custo de publicidade das vendas; costo pubblicitario delle vendite"),
    ("ratio", "roas", "rendite der werbeausgaben; retour sur depense publicitaire;"
     " retorno de la inversion publicitaria;"
     " retorno sobre investimento em publicidade; ritorno sulla spesa pubblicitaria"),
    ("ratio", "cvr", "konversionsrate | kaufrate; taux de conversion | taux de transformation; tasa de conversion;"
     " taxa de conversao; tasso di conversione"),
    ("rate", "rate", "rate | quote | anteil | prozent; taux | pourcentage; tasa | porcentaje; taxa | porcentagem;"
     " tasso | percentuale"),
    ("rate", "per", "pro | je; par; por; por; per"),
    ("scope", "attributed", "zugeordnet | zugeordneter | attribuiert | attribuierter; attribue | attribuee;"
     " atribuido | atribuida; atribuido | atribuida; attribuito | attribuita | attribuite"),
    ("scope", "same_sku", "beworben | direkt | beworbenes produkt | beworbener artikel | beworbene sku"
     " | beworbene asin;"
     " promu | direct | directe | produit promu | meme produit | sku promu | asin promu;"
     " anunciado | directo | producto anunciado | mismo producto | sku anunciado | asin anunciado;"
     " anunciado | direto | produto anunciado | mesmo produto | sku anunciado | asin anunciado;"
     " promosso | pubblicizzato | diretto | prodotto promosso | stesso prodotto | sku pubblicizzato"
     " | asin pubblicizzato"),
    ("scope", "halo", "andere | indirekt | andere produkte | andere artikel; autre | indirect | indirecte"
     " | autre produit;"
     " otro | indirecto | otros productos; outro | indireto | outros produtos; altro | indiretto | altri prodotti"),
    ("scope", "new", "neukunde | neukunden; nouveau client | nouveaux clients; cliente nuevo | nuevo cliente;"
     " cliente novo | novo cliente | novos clientes; nuovo cliente | nuovi clienti"),
    ("scope", "existing", "bestandskunde | bestandskunden; client existant; cliente existente; cliente existente;"
     " cliente esistente"),
    ("scope", "store", "filiale | stationar | stationaer; en magasin | magasin; en tienda | tienda; loja | na loja;"
     " negozio | in negozio"),
    ("scope", "pickup", "abholung; retrait; recogida; retirada; ritiro"),
    ("scope", "delivery", "lieferung; livraison; entrega; entrega; consegna"),
    ("scope", "online", "online; en ligne; en linea; online; online"),
    ("scope", "click", "klick | nach klick; clic | post clic | apres clic; clic | post clic; clique | pos clique;"
     " clic | post clic"),
    ("scope", "view", "ansicht | nach ansicht; vue | post vue | apres vue; visualizacion | post visualizacion;"
     " visualizacao | pos visualizacao; visualizzazione | post visualizzazione"),
    ("scope", "all", "alle; tous | tout | toute; todo | todos; todo | todos; tutto"),
    ("scope", "viewable", "sichtbar; visible; visible; visivel; visibile | visibili"),
    ("scope", "average", "durchschnitt | durchschnittlich | durchschn | schnitt; moyen | moyenne;"
     " medio | media | promedio;"
     " medio | media; medio | media"),
    ("scope", "total", "gesamt | insgesamt; total | totale; total; total; totale"),
    ("foreign", "budget", "tagesbudget | gesamtbudget; budget; presupuesto; orcamento; budget"),
    ("foreign", "bid", "gebot | maximalgebot; enchere; puja; lance; offerta"),
    ("foreign", "price", "preis | bestand; prix; precio | existencias; preco | estoque; prezzo | giacenza"),
    ("foreign", "goal", "ziel; objectif; objetivo; objetivo; obiettivo"),
    ("filler", "", "der | die | das | den | dem | des | von | vom | nach | mit | fur | fuer | im | in | und | anzahl"
     " | innerhalb | ein | eine | eines | einer | der | bericht | kunde; de | du | des | le | la | les | l | d"
     " | un | une | et | au | aux | en | pour | sur | nombre | rapport;"
     " de | del | la | el | los | las | en | con | para | y | al | a | informe | por publicidad; de | do | da"
     " | dos | das | em | no | na | com"
     " | para | e | ao | o | a; di | del | della | dei | delle | il | la | le | lo | gli | in | con | e | al | da"),
)  # fmt: skip


def _bent(words: tuple[str, ...], tongue: str) -> list[tuple[str, ...]]:
    """The words with the endings that adjectives of a tongue take; plurals in -s are taken off before."""
    made = [words]
    for place, word in enumerate(words):
        stem, ends = word, _ENDINGS[tongue]
        if word[-1] in "oaie" and len(word) > 3 and tongue != "fr":
            stem = word[:-1]
        elif tongue != "de" and tongue != "fr":
            continue
        made += [(*words[:place], stem + end, *words[place + 1 :]) for end in ends]
    return list(dict.fromkeys(made))


@lru_cache(maxsize=64)
def _own(tongue: str) -> tuple[dict[tuple[str, ...], tuple[Concept, ...]], frozenset[str]]:
    """Phrases of a tongue, and its words that mean something."""
    phrases: dict[tuple[str, ...], tuple[Concept, ...]] = {}
    telling: set[str] = set()
    for kind, name, spelled in _ENTRIES:
        for entry in spelled.split(";")[_ORDER.index(tongue)].split("|"):
            words = tuple(split_words(entry))
            if kind != "filler":
                telling |= {word for word in words if len(word) > 2}
            for spelt in _bent(words, tongue) if kind == "scope" else (words,):
                known = phrases.get(spelt, ())
                phrases[spelt] = known if Concept(kind, name) in known else (*known, Concept(kind, name))
    fillers = {words[0] for words, concepts in phrases.items() if concepts[0].kind == "filler"}
    return phrases, frozenset(telling - fillers)


@lru_cache(maxsize=64)
def _with(tongue: str, without: frozenset[str]) -> Lexicon:
    """English with the words of a tongue, which mean there what they mean in it."""
    english = lexicon(without)
    phrases = english.phrases | _own(tongue)[0]
    words = english.words | {word for phrase in _own(tongue)[0] for word in phrase}
    if tongue == "de":
        words |= {JOINED}
    return Lexicon(phrases, words, max(map(len, phrases)), english, tongue in _HEAD_FIRST)


def tongue_of(headers: Sequence[str]) -> str | None:
    """The tongue that a row of headers speaks beside English, or None."""
    english = lexicon().words
    votes = dict.fromkeys(_ORDER, 0)
    named = [header for header in headers[:_WIDEST] if header.strip()]
    for header in named:
        strange = set(split_words(header)) - english
        for tongue in _ORDER:
            votes[tongue] += bool(strange & _own(tongue)[1])
    best = max(_ORDER, key=lambda tongue: votes[tongue])
    return best if votes[best] >= max(_ENOUGH, _SHARE * len(named)) else None


def spoken(headers: Sequence[str], without: Iterable[str] = ()) -> Lexicon:
    """The lexicon that a row of headers is read by, without the words of some networks."""
    withheld: Collection[str] = frozenset(without)
    tongue = tongue_of(headers)
    return _with(tongue, frozenset(withheld)) if tongue is not None else lexicon(withheld)
