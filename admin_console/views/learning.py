"""Pages of learning: what a shop's feedback becomes, from snapshots over training to the versions that serve customers."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access, curves, labels
from admin_console import learning as told
from admin_console.access import console_page
from admin_console.explanation import pairs
from admin_console.forms.learning import ChoiceForm, SnapshotFilter, SnapshotForm, StepForm, Teachable, TrainForm
from admin_console.sentences import plainly
from admin_console.views import PAGE_SIZE
from botcore.learning import blind, datasets, house_words, runs, versions
from botcore.models import Dataset, ModelVersion, TrainingRun
from botcore.monitoring import alerts
from botcore.roles import Right
from catalog.models import Shop

Status = TrainingRun.Status


@console_page(Right.READ)
@require_safe
def learning(request: HttpRequest) -> HttpResponse:
    """Everything of one shop on one page; ``?all=1`` shows old snapshots, runs and versions as well."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    most = None if request.GET.get("all") else told.NEWEST
    snapshots = Dataset.objects.filter(shop=shop).select_related("approved_by")[:most]
    training = (
        TrainingRun.objects.filter(shop=shop).select_related("measures").defer("curves", "measures__report")[:most]
    )
    departments = told.department_names(shop)
    teachable = Teachable.of(shop, departments)
    made = ModelVersion.objects.filter(shop=shop).select_related("parent").defer("report", "parent__report")[:most]
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.READ),
        "alerts": alerts.open_alerts([shop], alerts.DRIFT),
        "inflow": told.inflow(shop, snapshots[0] if snapshots else None),
        "serving": told.serving(shop, departments),
        "collect": SnapshotForm(),
        "snapshots": [told.snapshot_row(snapshot) for snapshot in snapshots],
        "runs": told.run_rows(training),
        "versions": told.version_rows(made, departments),
        "train": [TrainForm(teachable, recipe) for recipe in labels.learning.RECIPES],
        "more": bool(most) and most in (len(snapshots), len(training), len(made)),
    }
    return render(request, "console/learning.html", context)


@console_page(Right.TEACH)
@require_POST
def make_snapshot(request: HttpRequest) -> HttpResponse:
    """Collect the feedback there is, or some of it."""
    shop, form = _posted_shop(request), SnapshotForm(request.POST)
    if not form.is_valid():
        _complain(request, form)
        return _to(shop)
    try:
        snapshot, new = told.make_snapshot(shop, access.person(request), form.filters())
    except datasets.NothingToLearnError as error:
        messages.warning(request, plainly(str(error)))
        return _to(shop)
    if new:
        messages.success(
            request, _("Snapshot %(number)s is made. Look at it, then approve it.") % {"number": snapshot.pk}
        )
    else:
        messages.info(request, _("Snapshot %(number)s holds the same already.") % {"number": snapshot.pk})
    return redirect("console:snapshot", pk=snapshot.pk)


@console_page(Right.READ)
@require_safe
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows of a snapshot, page by page, with where each came from."""
    found = access.datasets(request.user, Right.READ).select_related("shop", "created_by", "approved_by")
    row = get_object_or_404(found, pk=pk)
    form = SnapshotFilter(request.GET.dict())
    page = Paginator(form.rows(row.rows.order_by("place")), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "snapshot": row,
        "counts": told.snapshot_row(row),
        "form": form,
        "page": page,
        "rows": told.example_rows(page.object_list, access.turns(request.user, Right.READ)),
        "trained": row.runs.defer("curves"),
    }
    return render(request, "console/snapshot.html", context)


@console_page(Right.TEACH)
@require_POST
def house_word(request: HttpRequest) -> HttpResponse:
    """A word becomes a mere manner of speaking, or is the shop's own no more."""
    shop, word = _posted_shop(request), request.POST.get("word", "").strip()[:40]
    if request.POST.get("action") == "forget":
        house_words.forget(shop, word)
        messages.success(request, _("“%(word)s” is a word of yours no more.") % {"word": word})
        return _to(shop)
    try:
        house_words.admit_harmless(shop, word)
    except house_words.ClaimsSomethingError as error:
        messages.error(request, plainly(str(error)))
    else:
        messages.success(request, _("“%(word)s” may be said: it claims nothing.") % {"word": word})
    return _to(shop)


@console_page(Right.TEACH)
@require_POST
def approve_snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    """Models may learn from it."""
    row = get_object_or_404(access.datasets(request.user, Right.TEACH).select_related("shop"), pk=pk)
    datasets.approve(row, access.person(request))
    messages.success(request, _("Snapshot %(number)s is approved: models may learn from it.") % {"number": pk})
    return _to(row.shop)


@console_page(Right.TEACH)
@require_POST
def train(request: HttpRequest) -> HttpResponse:
    """Queue a run."""
    shop = _posted_shop(request)
    form = TrainForm(Teachable.of(shop, told.department_names(shop)), request.POST.get("recipe", ""), request.POST)
    if not form.is_valid():
        _complain(request, form)
        return _to(shop)
    dataset, recipe = form.cleaned_data["dataset"], form.cleaned_data["recipe"]
    try:
        run = runs.ask_for(dataset, recipe, form.options(), access.person(request))
    except runs.RefusedError as error:
        messages.error(request, plainly(str(error)))
        return _to(shop)
    messages.success(request, _("Run %(number)s waits for the trainer.") % {"number": run.pk})
    return redirect("console:run", pk=run.pk)


@console_page(Right.READ)
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run with its curves; while it is open the page keeps itself fresh."""
    found = access.runs(request.user, Right.READ)
    found = found.select_related("shop", "dataset", "created_by", "version", "measures")
    row = get_object_or_404(found.defer("version__report", "measures__report"), pk=pk)
    context = {
        "run": row,
        "version": row.measures or getattr(row, "version", None),
        "open": row.status in runs.OPEN,
        "broke_off": row.status in (Status.FAILED, Status.STOPPED),
        "far": runs.how_far(row),
        "options": pairs(row.options),
        "charts": curves.charts(row.curves),
        "canvas": (curves.WIDTH, curves.HEIGHT),
        "log": runs.last_lines(str(row.pk)),
    }
    return render(request, "console/run.html", context)


@console_page(Right.TEACH)
@require_POST
def stop_run(request: HttpRequest, pk: int) -> HttpResponse:
    """End a run that waits or runs."""
    done = _("The run is stopped. What it was just doing ends within a minute or so.")
    return _changed(request, pk, runs.stop, done, _("The run had ended already."))


@console_page(Right.TEACH)
@require_POST
def go_on_with_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue a run again that broke off or was stopped."""
    done = _("The run goes on where it was, as soon as the trainer is free.")
    vain = _("The run cannot go on: it is open, done, or was stopped a moment ago.")
    return _changed(request, pk, runs.go_on, done, vain)


def _changed(
    request: HttpRequest, pk: int, change: Callable[[TrainingRun], bool], done: str, vain: str
) -> HttpResponse:
    """A run's page again, with what came of a change of it."""
    row = get_object_or_404(access.runs(request.user, Right.TEACH).defer("curves"), pk=pk)
    changed = change(row)
    messages.add_message(request, messages.SUCCESS if changed else messages.INFO, done if changed else vain)
    return redirect("console:run", pk=pk)


@console_page(Right.READ)
@require_safe
def version(request: HttpRequest, pk: int) -> HttpResponse:
    """One version: its report beside what was live, the gate's verdict, its history, and where it may go from here."""
    found = access.versions(request.user, Right.READ).select_related("shop", "run", "dataset", "parent")
    row = get_object_or_404(found.defer("run__curves", "parent__report"), pk=pk)
    context = {
        "version": row,
        "department": told.department_of(row),
        "report": told.report(row),
        "gate": told.gate_lines(row),
        "measuring": told.measuring(row),
        "health": told.health(row),
        "history": row.changes.select_related("by"),
        "steps": told.steps(row),
        "form": StepForm(initial={"share": row.share or versions.CANARY_SHARE}),
        "interval": told.INTERVAL,
        "blind": blind.outcome(row),
        "shadows": told.shadow_replies(row).count(),
    }
    return render(request, "console/version.html", context)


@console_page(Right.READ)
@require_safe
def version_report(request: HttpRequest, pk: int) -> HttpResponse:
    """A version's evaluation as ``manage.py evaluate --json`` prints it."""
    measured = access.versions(request.user, Right.READ).exclude(report={})
    row = get_object_or_404(measured, pk=pk)
    return JsonResponse(
        versions.told(row),
        json_dumps_params={"ensure_ascii": False, "indent": 1},
        headers={"Content-Disposition": f'attachment; filename="version-{pk}.json"'},
    )


@console_page(Right.READ)
@require_safe
def shadow(request: HttpRequest, pk: int) -> HttpResponse:
    """What a version would have answered, beside what was sent."""
    row = get_object_or_404(access.versions(request.user, Right.READ).select_related("shop").defer("report"), pk=pk)
    page = Paginator(told.shadow_replies(row), told.SHADOWS).get_page(request.GET.get("page"))
    return render(request, "console/shadow.html", {"version": row, "page": page})


@console_page(Right.READ)
@require_safe
def side_by_side(request: HttpRequest) -> HttpResponse:
    """The measured versions of a shop as columns of one table."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    found = access.versions(request.user, Right.READ).filter(shop=shop).exclude(report={})[: told.COLUMNS]
    context = {"shop": shop, "table": told.side_by_side(list(found))}
    return render(request, "console/side_by_side.html", context)


@console_page(Right.REVIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def blind_choice(request: HttpRequest, pk: int) -> HttpResponse:
    """Two replies to the same words, one by this version; the reader says which is better without being told whose is whose."""
    row = get_object_or_404(access.versions(request.user, Right.REVIEW).select_related("shop"), pk=pk)
    reader = access.person(request)
    if request.method == "POST":
        _choose(request, row, reader)
        return redirect("console:blind_choice", pk=pk)
    done, of = blind.left(row, reader)
    context = {
        "version": row,
        "pair": blind.next_pair(row, reader),
        "done": done,
        "of": of,
        "outcome": blind.outcome(row),
    }
    return render(request, "console/blind_choice.html", context)


def _choose(request: HttpRequest, version: ModelVersion, reader: User) -> None:
    if "back" in request.POST:
        blind.take_back(version, reader)
        return
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        _complain(request, form)
    elif not blind.choose(version, reader, form.cleaned_data["pair"], int(form.cleaned_data["preferred"])):
        messages.info(request, _("The version was measured again meanwhile: these are other replies."))


@console_page(Right.TEACH)
@require_POST
def move_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a version into another state, where the registry and the gate allow it."""
    row = get_object_or_404(access.versions(request.user, Right.TEACH), pk=pk)
    form = StepForm(request.POST)
    if not form.is_valid():
        _complain(request, form)
        return redirect("console:version", pk=pk)
    to, share = form.cleaned_data["to"], form.cleaned_data["share"] or versions.CANARY_SHARE
    try:
        row = versions.move(row, to, access.person(request), form.cleaned_data["reason"], share)
    except versions.RefusedError as error:
        messages.error(request, plainly(str(error)))
    else:
        state = labels.label(labels.learning.VERSION_STATES, row.state)
        share_told = f" ({row.share} %)" if row.share else ""
        messages.success(request, _("%(name)s: %(state)s.") % {"name": row.name, "state": f"{state}{share_told}"})
    return redirect("console:version", pk=pk)


@console_page(Right.TEACH)
@require_POST
def evaluate_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a version measured against what is live now."""
    found = access.versions(request.user, Right.TEACH).select_related("run__dataset__shop")
    row = get_object_or_404(found.defer("report", "run__curves"), pk=pk)
    try:
        runs.ask_to_measure(row, {}, access.person(request))
    except runs.RefusedError as error:
        messages.error(request, plainly(str(error)))
    else:
        messages.success(request, _("It is measured against what is live now; the report is here in some minutes."))
    return redirect("console:version", pk=pk)


@console_page(Right.TEACH)
@require_POST
def roll_back(request: HttpRequest) -> HttpResponse:
    """Customers get back what wrote for them before the version named, or before what came last."""
    shop = _posted_shop(request)
    asked = request.POST.get("version", "")
    named = get_object_or_404(ModelVersion, shop=shop, pk=asked) if asked else None
    try:
        now = versions.rollback(shop, access.person(request), request.POST.get("reason", "").strip()[:1_000], named)
    except versions.RefusedError as error:
        messages.error(request, plainly(str(error)))
    else:
        name = now.name if now else _("the model that ships")
        messages.success(request, _("Rolled back. Customers are answered by %(name)s now.") % {"name": name})
    return _to(shop)


def _posted_shop(request: HttpRequest) -> Shop:
    """What changes something names its shop."""
    return access.shop_named(request.user, Right.TEACH, request.POST.get("shop", ""))


def _complain(request: HttpRequest, form: Form) -> None:
    """What is wrong with a form of a page that is shown afresh."""
    for field, problems in form.errors.items():
        messages.error(request, f"{form.fields[field].label or field}: {' '.join(map(str, problems))}")


def _to(shop: Shop) -> HttpResponse:
    return redirect(f"{reverse('console:learning')}?{urlencode({'shop': shop.slug})}")
