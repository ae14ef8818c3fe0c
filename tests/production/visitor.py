"""Scripts that a machine runs as somebody in front of the installed program: through nginx, over https."""

from __future__ import annotations

SITE = "https://tags.example.com"

#: A person signs in, has a change previewed, run and undone. Prints what became of each job.
PERSON = """
import json, re, sys, time
import requests

SITE = "https://tags.example.com"
browser = requests.Session()
browser.verify = "/etc/letsencrypt/live/tags.example.com/fullchain.pem"
browser.headers["Referer"] = SITE + "/"

def post(address, **fields):
    page = browser.get(SITE + (address if fields else "/"))
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
    answer = browser.post(SITE + address, {
        **fields, "csrfmiddlewaretoken": token, **({"nonce": nonce[1]} if nonce else {}),
    })
    assert answer.status_code == 200, (address, answer.status_code, answer.text[-3000:])
    return answer

def number_of(answer):
    found = re.search(r"/jobs/(\\d+)/$", answer.url)
    assert found, (answer.url, " ".join(re.sub(r"<[^>]+>", " ", answer.text).split()))
    return found[1]

def follow(answer):
    number = number_of(answer)
    end = time.monotonic() + 240
    while True:
        status = browser.get(f"{SITE}/jobs/{number}/status").json()
        if status["status"] in ("succeeded", "partial", "errored", "cancelled") or time.monotonic() > end:
            return status
        time.sleep(0.3)

home = post("/login/", username="root", password=sys.argv[1])
assert home.url == SITE + "/", home.url
preview = post("/tools/bulk-tag/", view=sys.argv[2], add="from_the_page", dry_run="on")
done = [follow(preview)]
job = post(f"/jobs/{number_of(preview)}/run", typed=str(done[0]["planned"]))
done.append(follow(job))
export = browser.get(f"{SITE}/jobs/{number_of(job)}/export.csv").text
done.append(follow(post(f"/jobs/{number_of(job)}/undo", typed=str(done[1]["changed"]))))
print(json.dumps({"jobs": done, "rows": len(export.splitlines()) - 1}))
"""

#: Visitors come without a pause while the web is reloaded some times. Prints how many answers of each status
#: they got, and the longest wait for one, seconds.
CROWD = """
import collections, concurrent.futures, http.client, json, pathlib, ssl, subprocess, sys, time
import urllib.request

ENOUGH = pathlib.Path("/tmp/enough")
TRUST = ssl.create_default_context(cafile="/etc/letsencrypt/live/tags.example.com/fullchain.pem")
found, waited = collections.Counter(), []

def visit(address):
    while not ENOUGH.exists():
        connection = http.client.HTTPSConnection("tags.example.com", context=TRUST, timeout=200)
        began = time.monotonic()
        try:
            connection.request("GET", address)
            answer = connection.getresponse()
            answer.read()
            found[f"{address} {answer.status}"] += 1
            waited.append(time.monotonic() - began)
        except OSError as problem:
            found[f"{address} {type(problem).__name__}"] += 1
        finally:
            connection.close()

def reload(times):
    try:
        for _ in range(times):
            subprocess.run(["systemctl", "reload", "tag-manager-web"], check=True)
            # The next one comes when the new processes answer.
            urllib.request.urlopen("http://127.0.0.1:8000/healthz", timeout=200).close()
            time.sleep(2)
    finally:
        ENOUGH.touch()

with concurrent.futures.ThreadPoolExecutor() as threads:
    for address in ("/healthz", "/", "/healthz", "/jobs/"):
        threads.submit(visit, address)
    threads.submit(reload, int(sys.argv[1])).result()
print(json.dumps([found, max(waited)]))
"""

#: Prints status and text of the answer to a GET.
QUESTION = """
import json, sys
import requests

TRUST = "/etc/letsencrypt/live/tags.example.com/fullchain.pem"
try:
    answer = requests.get(sys.argv[1], verify=TRUST, timeout=30)
    print(json.dumps([answer.status_code, answer.text]))
except requests.ConnectionError:
    print(json.dumps([0, ""]))
"""
