package main

const usage = `s3get downloads S3 objects with a pool of worker processes.

Usage:
  s3get [flags] s3://bucket/key [file]         to file, or to the key's last part
  s3get [flags] s3://bucket/key... -d dir      to files in dir
  s3get [flags] --recursive s3://bucket/prefix/ dir

Where from:
  --region name            default: the environment's, the profile's, else us-east-1
  --endpoint url           of a server other than AWS, such as http://127.0.0.1:9000
  --profile name           of the shared configuration, ~/.aws/config
  --no-sign-request        send no credentials: for public buckets

What:
  -d dir                   put files there; it is made if need be
  -r, --recursive          every object below the prefix
  --include glob           with --recursive: only those that match one of these ...
  --exclude glob           ... and none of these; both may be repeated
  --flat                   with --recursive: none in subdirectories
  --skip-unchanged         with --recursive: none whose file has the object's size and
                           time, as an earlier --skip-unchanged has left it
  --stop-on-error          with --recursive: leave off with the first failure

How:
  --workers n              worker processes (default 10)
  --requests-per-worker n  requests at a time in each (default 1)
  --chunk size             of a range, such as 8MiB or 64M (default 8MiB)
  --threshold size         from which on an object is split (default 8MiB)
  --verify mode            auto, required or off (default auto)
  --resume                 keep what has arrived of a file that fails or is canceled,
                           and go on from what an earlier --resume has kept

What is told:
  --json                   one JSON object a line, on standard output
  -q, --quiet              only errors

In a glob * and ? stand for anything but a slash, ** for anything, [a-z] for a class.
One with a slash is held against the key behind the prefix, another against its last
part. Sizes: B, K or KiB (1024), KB (1000), M, MiB, MB, G, GiB, GB.

Exit status: 0 all is in place, 1 something failed or was canceled, 2 the command line
or the configuration is wrong. Ctrl-C cancels; a second one ends s3get at once.
`
