"""Follow a run, and list what failed: `onboard run org.yaml -o jsonl | python follow.py`."""

import json
import sys
from typing import Any

accounts: dict[str, Any] = {}
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "account":
        # What the verifying read changes is one more line for the account: the last one counts.
        account = accounts[event["account"]["name"]] = event["account"]
        print(account["name"], account["outcome"], flush=True)
    elif event["type"] == "finished":
        for account in accounts.values():
            if account["error"]:
                print(f"{account['name']}: {account['error']['message']}")
        if event.get("error"):  # nothing could start
            print(event["error"]["message"])
        print(", ".join(f"{n} {word}" for word, n in event["summary"].items() if n))
