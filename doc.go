/*
Package processpool downloads Amazon S3 objects with a fixed pool of worker processes.

	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil { ... }
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) { c.MaxRequestProcesses = 16 })
	if err != nil { ... }
	defer d.Shutdown()
	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile")
	if err := future.Result(); err != nil { ... }

A download asks for the object with one HeadObject, splits it into ranges, and fetches the
ranges with as many workers as are free. The bytes go to a temporary file beside the
destination, are compared with the checksum that S3 keeps, and appear by one rename.

[Downloader.DownloadDirectory] downloads all objects below a prefix. [Downloader.Stats] returns
what a Downloader has done so far.

# The promise

When [Future.Result] returns nil, the file has exactly the object's bytes, all of one version of
it. [Object.Verified] names what verified them, where S3 keeps something that can. When Result
returns an error, the destination is as it was before and the temporary file is removed. After
[Downloader.Shutdown] no process of the pool is left.

Two things are beyond that. If the application itself is killed, the temporary file stays: it has
the destination's name, a dot and 8 hex digits. What a crash of the machine or a loss of power
leaves depends on the file system, unless [Config.Durable] is set.

With [DownloadOptions.Resume] the bytes that have arrived are kept instead, and the next download
of the same version of the object to the same file resumes there. [CleanPartials] removes
files that no download came back for.

# Processes

A worker is this executable, started again. The package's init finds a private variable in the
environment and an inherited socket, serves the pool on it, and exits: main does not run, and
packages that import this one, directly or not, are not initialized. Packages that do not
import it may be initialized before it, in every worker: Go goes by import path, as soon as a
package's own imports are ready (https://go.dev/ref/spec#Package_initialization). An init
function there should start nothing, open nothing and take no time. On Linux the executable is
/proc/self/exe, so that an upgrade on disk does not affect a running program.

A worker has the application's working directory and environment, without the variables that
hold AWS credentials, and with a GOMAXPROCS of its own. Its standard input and output are the
null device. What it writes to standard error is logged line by line to [Config.Logger], with
its pid.

The application's process never speaks to S3; only workers do. It resolves credentials, once for
all workers, through the provider of the [aws.Config], and passes them on over the socket.
Settings of the S3 client cross as plain values. A setting that holds code (middleware, an HTTP
client of another type, a resolver) is an error of [NewDownloader], unless
[Config.WorkerCommand] names a program that applies it itself and calls [ServeWorker], or
[Config.Foreign] lets the workers do without it. [Config.OnAttempt] has in the application what
middleware would see in the workers: each request to S3.

Ctrl-C reaches every process of the foreground group. Workers ignore it: the application
decides, for instance by passing DownloadFile a context of [signal.NotifyContext].

# Failures

Each answer is checked before a byte of it is written: its status, Content-Range, length and
ETag. A connection that breaks off or falls silent is retried, from the last byte in the file
on, with growing pauses. [Config.MaxAttempts] attempts in a row without headway are an error; an
outage of the server or of the network must have lasted for [Config.RetryTimeout], too. An
object that is overwritten during its download is [ErrObjectChanged], for every GetObject has
the ETag as its If-Match.

A worker that dies is replaced, and its range is handed out again. A range that has cost three
workers fails its download with [ErrWorkerLost]; other downloads and the pool go on. When
the application dies, its workers see their sockets close, and exit.

Every error of Result is a [*TransferError]. Through it [errors.Is] and [errors.As] find the
errors of this package, of the SDK and of the file system, although they occurred in another
process. The first error of a download is final: neither a cancel nor Shutdown changes an
outcome later.

# Concurrency

A [Downloader] and a [Future] may be used from any goroutine. DownloadFile queues any number of
downloads and never blocks. The oldest is served first; a later one uses the workers that it
leaves free. At most [Config.MaxRequestProcesses] times [Config.RequestsPerProcess] requests
reach S3 at a time.

Package processpooltest has an S3 server for the tests of programs that use this package.

Linux, macOS and Windows are supported. On other platforms Start and every Result return
[errors.ErrUnsupported].
*/
package processpool
