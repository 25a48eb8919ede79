"""One word for one thing, in everything that a person reads: the project's word for it, and not another one.

words.py            checks the files below ROOT that git knows, but this one, whose table has the words; ends with 1 and each place where a word is not the project's
words.py FILE...    checks these files only
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# (a pattern, what to say, a text that the pattern must find)
WORDS = [
    (r"\banswer(s|ed|ing)?\b", "response, respond", "waits for the answer"),
    (r"\bmend(s|ed|ing)?\b", "fixed", "found and mended"),
    (r"\banew\b", "again", "writes it anew"),
    (r"\bcould be had\b|\bcan be had\b|\bcan't be had\b", "is there, obtained", "no token could be had"),
    (r"\b(is|are) (not )?heard\b|\bheard as\b", "is read, is used", "the variable is heard"),
    (r"\bblanks?\b(?! (line|column))", "whitespace", "blanks around it"),
    (r"\bno (further|other) user could\b", "fatal for the batch", "the code that no further user could survive"),
    (r"\bkept connections?\b", "idle connection", "a kept connection"),
    (r"\bhopeless\b", "permanent, fatal for the batch", "a hopeless error"),
    (r"\bpassing (error|failure|reason)s?\b", "transient", "fails for a passing reason"),
    (r"\blent\b", "borrowed", "the result is lent until return"),
    (r"\bunsent\b", "not sent", "3 unsent"),
    (r"\brenew(s|ed|al|als|ing)?\b", "refresh", "the token is renewed"),
    (r"\bfetch(es|ed|ing)? (a |the |new |access |its )*tokens?\b|\btokens? (is|are|was|were) fetched\b", "obtain", "fetches a token"),
    (r"\brefus(es|ed|ing) (the|a) token\b|\brefused tokens?\b|\btoken (is|was) refused\b", "reject", "a refused token"),
    (r"\btoken functions?\b|\bfixed tokens?\b", "token provider, static token", "a token function"),
    (r"(?<!\.)\brepeat(s|ed|ing)?\b", "retry", "the call is repeated"),
    (r"\bmistakes?\b|\bmisuse\b", "usage error, wrong", "a mistake in the call"),
    (r"\b(first|second|its|their|his|your|own|whose|next|lose|lost|the) turns?\b(?! out)", "slot", "waits for its turn"),
    (r"\bpac(e|es|ed|ing)\b", "rate, rate limit", "evenly paced"),
    (r"\bmailbox(es)?\b|\bnotifications?\b", "queue, event", "a mailbox"),
    (r"\bseats?\b", "license, user limit", "no seat left"),
    (r"\blicences?\b", "license", "removes all licences"),
    (r"\bcancel\b[^.]{0,20}\b(is|was|not) raised\b|\braise (a|the) cancel\b", "trigger", "a cancel that is not raised"),
    (r"\b(certificate|company's) authorit(y|ies)\b", "CA certificate", "a certificate authority"),
    (r"\bcaller's mistake\b|\bwhole lists?\b", "batch", "a whole list"),
    (r"\bno user of a list\b|\bwho got no callback\b", "a user for whom the callback did not run", "who got no callback was never sent"),
]

# Where a word stands for itself.
FINE = ["answers.rs", "answer-", "about:blank"]

CHECKED = ["*.md", "*.rs", "*.h", "*.hpp", "*.toml", "*.py", "*.cs", "*.ts", "*.mts", "*.c", "*.cpp", "*.sh", "*.3", "*.psm1", "*.psd1", "Makefile"]

COMMENTS = {
    ".rs": r"//[^\n]*|\"(?:\\.|[^\"\\])*\"",
    ".h": r"/\*.*?\*/|//[^\n]*",
    ".hpp": r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"",
    ".c": r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"",
    ".cpp": r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"",
    ".cs": r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"",
    ".ts": r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`",
    ".mts": r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`",
    ".py": r'"""(?:.*?)"""|#[^\n]*|"(?:\\.|[^"\\\n])*"',
}


# The names of tests, whose words are joined by "_".
TESTS = {".rs": r"#\[(?:tokio::)?test\]\s+(?:async )?fn (\w+)", ".py": r"def (test_\w+)"}


def texts(path, text):
    """(offset, text) of what a person reads: comments, strings and test names of code, all of any other file."""
    pattern, names = COMMENTS.get(path.suffix), TESTS.get(path.suffix)
    found = [(m.start(), m.group()) for m in re.finditer(pattern, text, flags=re.S)] if pattern else [(0, text)]
    if names:
        found += [(m.start(1), m.group(1).replace("_", " ")) for m in re.finditer(names, text)]
    return found


def hits(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    for word in FINE:
        text = text.replace(word, "-" * len(word))
    found = []
    for offset, part in texts(path, text):
        for pattern, say, _ in WORDS:
            for match in re.finditer(pattern, part, flags=re.I):
                line = text.count("\n", 0, offset + match.start()) + 1
                found.append((line, f"{path.relative_to(ROOT)}:{line}: {match.group()!r}: say {say}"))
    return [message for _, message in sorted(found)]


def files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *CHECKED], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    return [ROOT / name for name in sorted(set(listed.split("\n"))) if name and (ROOT / name).is_file() and (ROOT / name) != Path(__file__).resolve()]


def main(arguments):
    blind = [f"{pattern!r} does not find {example!r}" for pattern, _, example in WORDS if not re.search(pattern, example, flags=re.I)]
    chosen = [Path(name).resolve() for name in arguments] or files()
    problems = blind + [message for path in chosen for message in hits(path)]
    print("\n".join([*problems, f"{len(chosen)} files, {len(problems)} words to change"]))
    return 1 if problems or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
