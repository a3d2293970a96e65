"""How a served model bears load: python benchmarks/load.py URL FILE [requests] [connections].

Sends one CSV again and again over several connections that stay open. Prints requests per second, the median and the
99th percentile of the time to an answer, and how many were not answered with 200 and the same forecast.
"""

import http.client
import queue
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit


def load(url: str, body: bytes, requests: int, connections: int) -> tuple[float, list[float], Counter[str]]:
    """Send so many requests.

    Returns:
        The seconds that all took, the seconds of each, and how often which answer came: "200" with its body, or what
        went wrong.
    """
    left: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(requests):
        left.put(number)
    taken: list[float] = []
    answers = Counter[str]()
    lock = threading.Lock()

    def work() -> None:
        where = urlsplit(url)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
        while True:
            try:
                left.get_nowait()
            except queue.Empty:
                connection.close()
                return
            began = time.perf_counter()
            try:
                connection.request("POST", "/invocations", body, {"Content-Type": "text/csv"})
                answer = connection.getresponse()
                told = f"{answer.status} {answer.read().decode()}"
            except (OSError, http.client.HTTPException) as e:
                connection.close()
                told = type(e).__name__
            with lock:
                taken.append(time.perf_counter() - began)
                answers[told] += 1

    began = time.perf_counter()
    workers = [threading.Thread(target=work) for _ in range(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began, sorted(taken), answers


def main() -> None:
    """Print the figures."""
    url, file, *numbers = sys.argv[1:]
    requests, connections = (int(n) for n in [*numbers, "10000", "8"][: len(numbers)] + ["10000", "8"][len(numbers) :])
    seconds, taken, answers = load(url, Path(file).read_bytes(), requests, connections)
    half, most = taken[len(taken) // 2] * 1e3, taken[int(len(taken) * 0.99)] * 1e3
    print(f"{requests:,} requests over {connections} connections: {requests / seconds:.0f} per second")
    print(f"p50 {half:.1f} ms, p99 {most:.1f} ms")
    good = answers.most_common(1)[0]
    print(f"{good[1]:,} times {good[0][:120]}")
    for told, number in answers.most_common()[1:]:
        print(f"{number:,} times {told[:200]}")


if __name__ == "__main__":
    main()
