"""As much of curl as the README's tour uses, so that its test needs none installed; any other option is refused."""

import argparse
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit


def main() -> None:
    parser = argparse.ArgumentParser("curl", allow_abbrev=False)
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-X")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("url")
    wanted = parser.parse_args()
    url = urlsplit(wanted.url)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if wanted.d is not None else {}
    for header in wanted.H:
        name, _, value = header.partition(":")
        headers[name] = value.strip()
    connection = HTTPConnection(url.netloc, timeout=30)
    target = url.path + (f"?{url.query}" if url.query else "")
    connection.request(wanted.X or ("GET" if wanted.d is None else "POST"), target, wanted.d, headers)
    answer = connection.getresponse()
    if wanted.i:
        lines = (f"{name}: {value}\n" for name, value in answer.getheaders())
        sys.stdout.write(f"HTTP/1.1 {answer.status} {answer.reason}\n{''.join(lines)}\n")
    sys.stdout.write(answer.read().decode())


if __name__ == "__main__":
    main()
