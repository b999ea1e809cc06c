"""What goes on: the last hour as it goes on, and the last day, week or month, for administrators."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response

from app.http.context import services
from app.http.sessions import guard_administration


def _back(**_: object) -> str:
    return url_for("dashboard.index")


blueprint = Blueprint("dashboard", __name__)
guard_administration(blueprint, back=_back)


@blueprint.get("/dashboard")
def index() -> str:
    """Show everything, of a period and of all models or one."""
    # Here and below, since few look at it, and every start would read them.
    from app.services.telemetry.traffic_report import PERIODS, TrafficReports
    from app.web.live_traffic import shown_live
    from app.web.traffic_charts import shown_report

    reports = TrafficReports(sums=services().traffic.sums)
    period = PERIODS.get(request.args.get("period", ""), PERIODS["24h"])
    report = reports.report(period, request.args.get("model") or None)
    return render_template(
        "dashboard/index.html",
        live=shown_live(reports.live()),
        report=report,
        shown=shown_report(report),
        periods=PERIODS.values(),
    )


@blueprint.get("/dashboard/live")
def live() -> Response:
    """Give the last hour to the page's script; where nothing has changed, no more than that."""
    from app.services.telemetry.traffic_report import TrafficReports
    from app.web.live_traffic import live_values

    response = jsonify(live_values(TrafficReports(sums=services().traffic.sums).live()))
    response.add_etag()
    return response.make_conditional(request)
