"""A supervisor over tiny commands in place of web and workers: `python -m tests.local.fake_platform HOME PORT KIND`."""

import os
import sys
from pathlib import Path

from rmn_site.local.plan import Plan, Step
from rmn_site.local.processes import ProcessSpec
from rmn_site.local.supervisor import Supervisor

# Each process writes its end into a common file, so that the order can be read from it.
WEB = """
import http.server, os, signal, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
def end(*_):
    open(os.environ["ENDS"], "a").write("web\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
WORKER = """
import os, signal, subprocess, sys, time
child = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
subprocess.Popen(child, start_new_session=True)  # a job that left the group and does not listen
def end(*_):
    open(os.environ["ENDS"], "a").write("worker\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
print("worker is up", flush=True)
while True: time.sleep(1)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def command(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


def plan(kind: str, port: int) -> Plan:
    prepare = {
        "broken-step": Step("prepare", "Prepare", command("import sys; sys.exit('no such table')")),
        "slow-step": Step("prepare", "Prepare", command("import time; time.sleep(600)")),
    }.get(kind, Step("prepare", "Prepare", command("pass")))
    worker = {
        "dying": command("import time; time.sleep(1); print('out of luck'); raise SystemExit(7)"),
        "deaf": command(DEAF),
    }.get(kind, command(WORKER))
    return Plan(
        mode="demo",
        prepare=(prepare,),
        processes=(
            ProcessSpec("worker", worker, grace=1, stop_stage=2),
            ProcessSpec("web", command(WEB, str(port)), grace=5, stop_stage=0),
        ),
        fill=(Step("fill", "Fill", command("print('one of two'); print('two of two')"), shown=True),),
        logins=command("""print('[{"who": "alice", "password": "let me in"}]')"""),
    )


if __name__ == "__main__":
    home, port, kind = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    sys.exit(Supervisor(home, plan(kind, port), bind="127.0.0.1", port=port, environ=os.environ).run())
