"""The tag library, tag by tag."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from django import forms
from django.core.paginator import Paginator
from django.utils import timezone

from tenants.core.problems import InvalidInput
from tests.ui.gallery import UploadForm, render_text


def made(text, path="/gallery", **context):
    return render_text("{% load ui %}" + text, path, **context)


def query(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address.replace("&amp;", "&")).query).items()}


def test_icon_points_into_the_sprite_and_is_decoration():
    text = made('{% icon "home" %}')
    assert "sprite.svg#home" in text
    assert 'aria-hidden="true"' in text


def test_delta_has_sign_arrow_and_word():
    text = made("{% delta 0.062 %}")
    assert "+6.2%" in text
    assert "#arrow-up-right" in text
    assert "<small>up</small>" in text
    assert 'class="delta good"' in text


def test_delta_takes_the_words_of_the_caller():
    assert "$50,300 &lt;over&gt;" in made("{% delta 1 text=words %}", words="$50,300 <over>")


def test_spark_says_what_it_shows():
    text = made('{% spark values "Spend, 52 weeks" %}', values=[1, 2])
    assert 'role="img" aria-label="Spend, 52 weeks"' in text
    assert made('{% spark values "x" %}', values=[]).strip() == ""


def test_spark_marks_where_something_began():
    assert '<path class="m" d="M50.0 0L50.0 28"/>' in made('{% spark values "x" mark=2 %}', values=[1, 2, 3, 4, 5])
    assert 'class="m"' not in made('{% spark values "x" %}', values=[1, 2])


def test_tile_map_shows_every_tile_with_its_group_in_words():
    tiles = [
        SimpleNamespace(label="MN", name="Minnesota", column=4, row=2, group="treated"),
        SimpleNamespace(label="<b>", name="A & B", column=0, row=0, group="left out"),
    ]
    text = made('{% tile_map tiles "States: 1 treated" %}', tiles=tiles)
    assert 'viewBox="0 0 170 102" role="img" aria-label="States: 1 treated"' in text
    assert '<g class="tr"><title>Minnesota: treated</title><rect x="137" y="69"' in text
    assert '<g class="ex"><title>A &amp; B: left out</title>' in text
    assert "&lt;b&gt;" in text


def test_kpi_shows_no_change_where_there_is_none():
    assert "delta" not in made('{% kpi "Approvals" "2" %}')
    assert "level" in made('{% kpi "Approvals" "2" change=0 %}')


def test_interval_marks_what_is_only_modelled():
    assert 'class="iv low"' in made("{% interval 1 2 3 maximum=4 modelled=True %}")
    assert made("{% interval None 2 3 %}").strip() == ""


def test_chart_carries_its_spec_as_data_and_its_summary_as_text():
    text = made('{% chart "sales" spec "h160" %}', spec={"alt": "Rises <fast>", "option": {"x": "</script>"}})
    assert 'aria-label="Rises &lt;fast&gt;"' in text
    assert '<script id="sales-spec" type="application/json">' in text
    assert text.count("</script>") == 1


def test_chart_without_a_summary_is_refused():
    with pytest.raises(ValueError, match="'sales' needs alt"):
        made('{% chart "sales" spec %}', spec={"option": {}})


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ('{% finality "final" %}', "final"),
        ('{% finality "restating" "26 Nov" %}', "restating until 26 Nov"),
        ('{% finality "missing" "3 days missing" %}', "3 days missing"),
        ('{% suppressed "primary" 50 "Small cells v3" %}', "&lt;50"),
        ('{% suppressed "complementary" %}', "withheld"),
    ],
)
def test_states_say_it_in_words(tag, words):
    assert words in made(tag)


def test_progress_claims_no_length_it_does_not_know():
    assert 'max="200" value="50"' in made('{% progress 50 200 "50 of 200 rows" %}')
    assert "value=" not in made('{% progress 50 None "At work" %}')


def test_stage_under_way_is_the_current_step():
    text = made("{% stages items %}", items=[{"state": "now", "label": "Read", "note": ""}])
    assert 'aria-current="step"' in text
    assert "#refresh" in text


def test_empty_state_has_one_button():
    text = made('{% empty "No uploads" "Nobody sent one." "/new" "Upload" what="Files." %}')
    assert text.count('class="btn') == 1
    assert "Nobody sent one. Files." in text


def test_problem_tells_what_where_and_the_next_move():
    error = InvalidInput(
        "Spend is <b>.", where="row 7", fix="Correct it.", errors=[{"where": "row 8", "detail": "Empty."}]
    )
    text = made('{% problem error "id-1" "All else is loaded." %}', error=error)
    for words in ("Spend is &lt;b&gt;.", "row 7:", "Correct it.", "row 8:", "Empty.", "id-1", "All else is loaded."):
        assert words in text
    assert 'role="alert"' in text


def test_footer_links_to_the_method_only_where_there_is_a_page():
    assert "How this is computed" in made('{% prov "Data as of noon" how="/docs" %}')
    assert "<a" not in made('{% prov "Data as of noon" "" %}')


def test_footer_opens_the_method_where_it_is_short():
    text = made('{% prov "Data as of noon" told=how %}', how="Sales < spend.")
    assert "<details><summary>How this is computed</summary><p>Sales &lt; spend.</p></details>" in text
    assert "<details" not in made('{% prov "Data as of noon" %}')


def test_when_is_relative_with_the_instant_as_title():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    text = made("{% when moment %}", moment=moment)
    assert 'datetime="2026-01-02T03:04:05+00:00" title="02 Jan 2026 03:04:05 UTC"' in text
    now = timezone.now()
    assert "3\N{NO-BREAK SPACE}minutes ago" in made("{% when moment %}", moment=now - timedelta(minutes=3, seconds=5))
    assert "just now" in made("{% when moment %}", moment=now)
    assert "in 1\N{NO-BREAK SPACE}hour" in made("{% when moment %}", moment=now + timedelta(minutes=65))
    assert "—" in made("{% when None %}")


def test_export_is_of_exactly_what_is_filtered():
    text = made('{% export_links "/lines" %}', "/lines?network=a&page=3&sort=-spend")
    address = text.split('href="')[1].split('"')[0]
    assert query(address) == {"network": "a", "sort": "-spend", "export": "csv"}
    assert "XLSX" in text


def test_pages_keep_the_filters():
    text = made('{% pagination page "lines" %}', "/lines?network=a&page=2", page=Paginator(range(120), 50).page(2))
    assert "51–100 of 120 lines" in text
    addresses = [part.split('"')[0] for part in text.split('href="') if part.startswith("?")]
    assert [query(address) for address in addresses] == [{"network": "a", "page": "1"}, {"network": "a", "page": "3"}]


def test_pages_of_an_empty_list_are_not_drawn():
    assert made('{% pagination page "lines" %}', page=Paginator([], 50).page(1)).strip() == ""


@pytest.mark.parametrize(
    ("path", "order", "turned"),
    [
        ("/lines?page=4", None, "-spend"),
        ("/lines?sort=-spend", "descending", "spend"),
        ("/lines?sort=spend", "ascending", "-spend"),
    ],
)
def test_sort_header_turns_the_order_and_starts_over(path, order, turned):
    text = made('{% sort_header "Spend" "spend" numeric=True %}', path)
    assert query(text.split('href="')[1].split('"')[0]) == {"sort": turned}
    assert (f'aria-sort="{order}"' in text) is (order is not None)


def test_poll_stops_when_there_is_nothing_to_wait_for():
    assert 'hx-get="/p" hx-trigger="every 2s"' in made('{% poll "/p" %}')
    assert made('{% poll "/p" active=False %}').strip() == ""


def test_fill_values_survive_quotes():
    assert "&quot;a\\&quot;b&quot;" in made("{% fill_values password=word %}", word='a"b')


def test_field_ties_help_and_error_to_its_control():
    form = UploadForm({"name": ""})
    text = made("{% field form.name %}", form=form)
    assert '<label class="form-label" for="id_name">' in text
    assert 'aria-describedby="id_name_helptext id_name_error"' in text
    assert 'aria-invalid="true"' in text
    assert 'id="id_name_error"' in text
    assert "This field is required." in text


def test_field_without_fault_points_at_nothing():
    text = made("{% field form.note %}", form=UploadForm())
    assert "aria-describedby" not in text
    assert "optional" in text
    assert 'class="form-control"' in text


def test_field_of_buttons_is_a_group_with_a_legend():
    text = made("{% field form.kind %}", form=UploadForm())
    assert "<legend>Kind" in text
    assert text.count('class="form-check-input"') == 2


def test_field_escapes_what_was_typed():
    assert "<script>" not in made("{% field form.name %}", form=UploadForm({"name": "<script>"}))


def test_form_shows_faults_of_the_whole():
    class Empty(forms.Form):
        secret = forms.CharField(widget=forms.HiddenInput)

    form = Empty({"secret": "s"})
    form.add_error(None, "The file holds no rows.")
    text = made('{% include "ui/form.html" %}', form=form)
    assert "The file holds no rows." in text
    assert 'type="hidden"' in text


def test_scope_bar_keeps_the_rest_of_the_address():
    dates = {"start": datetime(2026, 10, 1).date(), "end": datetime(2026, 11, 1).date(), "compare": "year"}  # noqa: DTZ001
    text = made(
        '{% scope_bar scope dates "common_window" %}', "/p?brand=7&start=2026-01-01&page=3", scope=None, dates=dates
    )
    assert '<input type="hidden" name="brand" value="7">' in text
    assert 'name="page"' not in text
    assert '<option value="year" selected>' in text
    link = next(part for part in text.split('href="')[1:] if "incremental" in part).split('"')[0]
    assert query(link)["brand"] == "7"
    assert 'attribution=common_window" aria-current="true"' in text
