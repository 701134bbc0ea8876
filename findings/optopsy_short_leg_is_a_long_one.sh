#!/usr/bin/env bash
# optopsy 2.2.0: short_calls and short_puts give, row for row, what long_calls and long_puts give: a
# single leg is never multiplied by its side. A put that was sold for 2.00 and expired worthless is
# told as a loss of 97.5 %, and the describe() table ranks sold options by what their buyers made.
# Strategies of two legs do count sides. Fails if either changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet --quiet --disable-pip-version-check "optopsy==2.2.0"
cd "$work"
cat > ask.py <<'PY'
import pandas as pd
import optopsy as op

entry, expiry = pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-19")
quotes = [(entry, 95.0, 1.95, 2.05), (entry, 90.0, 0.95, 1.05),
          (expiry, 95.0, 0.0, 0.10), (expiry, 90.0, 0.0, 0.10)]
chain = pd.DataFrame([("SPY", 100.0, "p", expiry, *row) for row in quotes], columns=[
    "underlying_symbol", "underlying_price", "option_type", "expiration", "quote_date", "strike",
    "bid", "ask"])
bought, sold = op.long_puts(chain, raw=True), op.short_puts(chain, raw=True)
spread = op.short_put_spread(chain, raw=True)
at = sold.loc[sold["strike"] == 95.0].iloc[0]
print("same" if bought.equals(sold) else "different",
      f"{at['entry']:.2f} {at['exit']:.2f} {100 * at['pct_change']:.1f}",
      f"{(spread['total_exit_proceeds'] - spread['total_entry_cost']).iloc[0]:+.2f}")
PY
seen=$("$work/venv/bin/python" -W ignore ask.py)
echo "a put sold and one bought; the sold one: entry, exit, change in %; a sold spread: gain"
echo "$seen"
[ "$seen" = "same 2.00 0.05 -97.5 +1.00" ] || { echo "changed"; exit 1; }
echo "as described, optopsy 2.2.0"
