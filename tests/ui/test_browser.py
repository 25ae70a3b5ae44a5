"""The frame in a real browser: policy, widths, themes, keyboard, live parts."""

import pytest

from rmn_site.ui.tags.addresses import poll

pytestmark = pytest.mark.browser

PAGES = ["/gallery?sort=-spend", "/login", "/error"]


def luminance(page, selector):
    """Relative luminance (WCAG) of an element's background, 0 black to 1 white."""
    colour = page.eval_on_selector(selector, "element => getComputedStyle(element).backgroundColor")
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", PAGES)
def test_page_fits_its_window_and_keeps_to_the_policy(open_page, path, width):
    page = open_page(path, width)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_then_the_person(open_page, scheme):
    page = open_page("/gallery", scheme=scheme)
    assert (luminance(page, "body") < 0.1) is (scheme == "dark")
    page.click("[data-rmn=theme]")
    assert (luminance(page, "body") < 0.1) is (scheme == "light")
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert (luminance(page, "body") < 0.1) is (scheme == "light")
    assert page.faults == []


def test_chart_is_drawn_and_its_tooltip_keeps_to_the_policy(open_page):
    page = open_page("/gallery")
    page.hover("#sales")
    tip = page.wait_for_selector(".tip")
    assert "Sales" in tip.inner_text()
    assert "80% interval" in tip.inner_text()
    assert page.faults == []


def test_echarts_is_not_loaded_where_there_is_no_chart(open_page):
    assert open_page("/error").evaluate("typeof window.echarts") == "undefined"
    assert open_page("/gallery").evaluate("typeof window.echarts") == "object"


def test_tree_closes_what_is_below(open_page):
    page = open_page("/gallery")
    assert page.is_visible("tr[data-id=c]")
    page.click(".tree")
    assert page.is_hidden("tr[data-id=b]")
    assert page.is_hidden("tr[data-id=c]")
    page.click(".tree")
    assert page.is_visible("tr[data-id=c]")


def test_tabs_by_mouse_and_arrow(open_page):
    page = open_page("/gallery")
    page.click("#tab-b")
    assert (page.is_visible("#pane-b"), page.is_visible("#pane-a")) == (True, False)
    page.keyboard.press("ArrowLeft")
    assert (page.is_visible("#pane-b"), page.is_visible("#pane-a")) == (False, True)
    assert page.evaluate("document.activeElement.id") == "tab-a"


@pytest.mark.parametrize("keys", ["/", "Control+k"])
def test_palette_goes_to_a_page(open_page, keys):
    page = open_page("/gallery")
    page.keyboard.press(keys)
    page.keyboard.type("jo")
    assert [link.inner_text().split("\n")[0] for link in page.query_selector_all("#palette-hits a")] == ["Jobs"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/job")


def test_palette_says_when_nothing_fits(open_page):
    page = open_page("/gallery")
    page.keyboard.press("/")
    page.keyboard.type("zzz")
    assert page.is_visible("#palette .none")


def test_keys_go_open_and_explain(open_page):
    page = open_page("/gallery")
    page.keyboard.press("?")
    assert page.is_visible("#shortcuts")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    assert page.is_visible("#f-start")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.wait_for_url("**/job")


def test_keys_are_left_alone_while_typing(open_page):
    page = open_page("/gallery")
    page.fill("#id_name", "")
    page.type("#id_name", "g/j?d")
    assert page.input_value("#id_name") == "g/j?d"
    assert page.is_hidden("#palette")


def test_dates_open_on_a_phone(open_page):
    page = open_page("/gallery", 390)
    page.click(".dates-menu > button")
    menu = page.wait_for_selector(".dates").bounding_box()
    for field in ("#f-start", "#f-end", "#f-compare"):
        box = page.wait_for_selector(field).bounding_box()
        assert menu["x"] >= 0
        assert menu["x"] < box["x"]
        assert box["x"] + box["width"] < menu["x"] + menu["width"] <= 390
        page.click(field, trial=True)


def test_navigation_opens_on_a_phone(open_page):
    page = open_page("/gallery", 390)
    assert page.is_hidden(".rmn-nav a")
    page.evaluate("window.scrollTo(0, 1200)")
    page.click("[aria-label=Menu]")
    page.wait_for_selector(".rmn-nav a", state="visible")
    page.wait_for_function("document.querySelector('.rmn-nav a').getBoundingClientRect().top > 0")
    page.click("text=Jobs", trial=True)


def test_skip_link_comes_first(open_page):
    page = open_page("/gallery")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_poll_replaces_itself_until_the_answer_no_longer_asks(open_page, polled):
    again = poll("/fragment", 0.2)
    polled.answer = lambda asked: (200, polled.panel(f"Answer {asked}", again if asked < 3 else ""))
    page = open_page("/gallery")
    page.wait_for_selector("text=Answer 3")
    page.wait_for_timeout(600)
    assert polled.asked == 3
    assert page.faults == []


def test_poll_that_fails_keeps_the_last_state_and_says_so_once(open_page, polled):
    polled.answer = lambda asked: (500, "<h1>Traceback</h1>")
    page = open_page("/gallery")
    page.wait_for_selector("#toasts .callout")
    page.wait_for_timeout(500)
    assert polled.asked > 1
    assert page.locator("#toasts .callout").count() == 1
    assert page.locator("#live").inner_text() == "Polls"
    assert page.locator("text=Traceback").count() == 0
    page.click("#toasts [data-rmn=dismiss]")


def test_write_carries_the_token(open_page, polled):
    page = open_page("/gallery")
    page.click("#writer")
    page.wait_for_selector("text=Written")
    assert polled.tokens == [page.get_attribute("meta[name=csrf-token]", "content")]
    assert len(polled.tokens[0]) > 30


def test_demo_login_fills_the_form(open_page):
    page = open_page("/login")
    page.click("text=Fill in >> nth=0")
    assert page.input_value("[name=login]") == "alice@acme.example"
    assert page.input_value("[name=password]") == 'demo "snacks"'


def test_question_before_a_form_is_sent(open_page):
    page = open_page("/gallery")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.fill("#id_name", "x")
    page.check("[name=kind] >> nth=0")
    page.click("text=Send")
    assert asked == ["Send it?"]
    assert page.url.endswith("/gallery")


def test_print_leaves_the_frame_out(open_page):
    page = open_page("/gallery")
    page.emulate_media(media="print")
    assert page.is_hidden(".rmn-top")
    assert page.is_hidden(".rmn-nav")
    assert page.is_visible(".rmn-head h1")
