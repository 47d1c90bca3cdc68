# SPDX-License-Identifier: ISC
"""Tables (Markdown) and bars (SVG)."""


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def ratio(value, to):
    return f"{value / to:.2f}" if to else "-"


def bars(groups):
    """groups: (title, [(name, value)]), each with a scale of its own."""
    parts, y = [], 8
    for title, rows in groups:
        parts.append(f'<text x="8" y="{y + 14}" font-weight="bold">{title}</text>')
        y += 24
        widest = max((value for _, value in rows), default=1)
        for name, value in rows:
            colour = "#2b6cb0" if name.startswith("ocsprelay") else "#a0aec0"
            width = 420 * value / widest
            parts.append(f'<text x="8" y="{y + 16}">{name}</text>'
                         f'<rect x="240" y="{y + 2}" width="{width:.0f}" height="20" '
                         f'fill="{colour}"/>'
                         f'<text x="{246 + width:.0f}" y="{y + 16}">{value:.1f}</text>')
            y += 26
        y += 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="740" height="{y}" '
            'font-family="sans-serif" font-size="13">\n'
            f'<rect width="740" height="{y}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")
