"""Which modules the tests run too little of: `coverage json -q -o - | python check_coverage.py 85`.

Exit code 1 where a module is below the share of lines given.
"""

import json
import sys


def main() -> int:
    """Say the total, and each module below the floor."""
    floor, found = float(sys.argv[1]), json.load(sys.stdin)
    shares = {name: file["summary"]["percent_covered"] for name, file in found["files"].items()}
    low = {name: share for name, share in sorted(shares.items()) if share < floor}
    print(f"Coverage: {found['totals']['percent_covered']:.1f} % of {len(shares)} modules")
    for name, share in low.items():
        print(f"  {share:5.1f} %  {name} (below {floor:g} %)")
    return int(bool(low))


if __name__ == "__main__":
    sys.exit(main())
