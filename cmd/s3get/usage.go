package main

const rootText = `s3get downloads S3 objects with a pool of worker processes. A file appears when it is complete
and verified by the checksum that S3 keeps, or not at all.

  s3get s3://bucket/key [FILE]                 to FILE, or to the last part of the key
  s3get s3://bucket/key... -d DIR              to files in DIR
  s3get 's3://bucket/logs/2026-*.gz' DIR       all that the wildcard matches
  s3get sync s3://bucket/prefix/ DIR           what is new or has changed
  s3get cat s3://bucket/key | tar x            in order, to standard output`

const getText = `Downloads objects to files. Without a destination a file has the name of the last part of the key.

A source with * or ? is a wildcard, as in s5cmd: * stands for any characters, slashes too, and ?
for one. Put it in quotes, so that the shell leaves it alone. The files get the part of the key
behind the last slash before the first wildcard, with directories for its slashes.`

const syncText = `Downloads what is new or has changed below a prefix: objects whose file has another size, time or
ETag, as an earlier sync has left it. The ETag is kept in the extended attribute user.s3get; where
the file system has none, size and time decide.

With --delete, files below DIR for which there is no object are removed at the end, but not if
anything failed, if the prefix has no object at all, or what an --exclude names.`

const runText = `Downloads a list of objects:

  lines   a URL and, if it is not to be named by its key, a file: s3://bucket/key [FILE].
          Names with spaces are in quotes. # begins a comment. A leading cp or get is skipped.
  jsonl   one JSON object a line: bucket and key, or url; file, size, etag, versionId,
          checksum (as of --checksum).
          s3get ls --json and s5cmd --json ls write it.
  csv     with a heading of these names; or without one as S3 Inventory writes it, with
          URL-encoded keys: bucket and key, or the columns that --columns names.

A file that is not named gets the whole key as its path below DIR. A size saves a request, and an
etag insists on that version. With --resume, a list that was interrupted goes on: what is complete
is skipped.`

const lsText = `Lists objects: the time (UTC), the size in bytes, and the key; or with --json one object a line.
Wildcards are as in s3get get. Without --recursive, what is below the next slash is one line DIR.`

const catText = `Writes objects to standard output, in order, in bounded memory: two windows of at most 64 MiB (or of
one part, up to 256 MiB, where S3 keeps checksums of parts). The bytes are compared with the checksum
that S3 keeps when the last one has been written: only the exit status 0 says that they are the
object's. To have bytes only when they are verified, download to a file.`

const cleanText = `Lists, and with --force removes, partial files (.NAME.part, .NAME.part.journal) and temporary files
(NAME and 8 hex digits) that downloads have left in DIR and that were not written to for a day:
only files of your own that are marked as s3get's and that no process writes to. What is listed
is what --force removes.`

const selectionText = `In a glob, * and ? match anything but a slash, ** between slashes any directories, [a-z] is a
class and {a,b} a choice. A glob with a slash is compared with the key without the prefix, any
other glob with the last part of the key. Units: B, K or KiB (1024), KB (1000), M, MiB, MB, G,
GiB, GB.

Each flag can have a default: in the environment, as S3GET_WORKERS for --workers, or in the
file s3get/config of the user's configuration directory (--config), as lines such as workers = 16.
`

const statusText = `Exit status:
    0  all files are complete
    1  a download failed
    2  the command line or the configuration is wrong, and nothing was started
  130  Ctrl-C has canceled downloads (143: SIGTERM, 129: the terminal was closed).
       A second Ctrl-C ends s3get at once.
`
