"""Downloads with s3transfer.processpool. The arguments are those of bench/internal/task."""

import argparse
import os
import time

from s3transfer.processpool import ProcessPoolDownloader, ProcessTransferConfig


def parse():
    parser = argparse.ArgumentParser()
    for name in ("url", "ca", "bucket", "key", "file"):
        parser.add_argument("-" + name, default="")
    for name in ("count", "size", "workers", "requests", "chunk"):
        parser.add_argument("-" + name, type=int, default=0)
    parser.add_argument("-linger", type=float, default=0, help="seconds to wait before the end")
    return parser.parse_args()


def objects(task):
    if task.count == 0:
        return [(task.key, task.file)]
    return [(f"{task.key}-{i:05d}", f"{task.file}-{i:05d}") for i in range(task.count)]


def main():
    task = parse()
    client = {"endpoint_url": task.url, "region_name": "us-east-1"}
    if task.ca:
        client["verify"] = task.ca
    config = ProcessTransferConfig(
        multipart_threshold=task.chunk,
        multipart_chunksize=task.chunk,
        max_request_processes=task.workers,
    )
    with ProcessPoolDownloader(client_kwargs=client, config=config) as downloader:
        futures = [downloader.download_file(task.bucket, key, file) for key, file in objects(task)]
        for i, future in enumerate(futures):
            future.result()
            if i == 0 and "BENCH_START" in os.environ:
                print("first", time.time_ns() - int(os.environ["BENCH_START"]), flush=True)
        time.sleep(task.linger)


if __name__ == "__main__":
    main()
