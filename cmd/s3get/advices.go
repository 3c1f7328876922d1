package main

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/s3processpool/processpool"
)

// setRegion is the advice to which the server may add the name of the region.
const setRegion = "set its region with --region"

var errNothing = errors.New("there is no object with this prefix")

// advices is the table of errors. The first row that applies counts.
var advices = []advice{
	{
		codes: []string{"Canceled"}, is: processpool.ErrCanceled,
		what: "canceled",
		todo: "run the same command again",
	},
	{
		codes: []string{"NothingFound"}, is: errNothing,
		todo: "check the prefix, to which --recursive and sync add a slash, or the wildcard",
	},
	{
		codes: []string{"UnsafeKey"}, is: processpool.ErrUnsafeKey,
		todo: "download it separately, to a file that you name: s3get s3://bucket/key file",
	},
	{
		codes: []string{"ObjectChanged"}, is: processpool.ErrObjectChanged,
		what: "the object was overwritten during the download",
		todo: "run the same command again to get the new version",
	},
	{
		codes: []string{"ChecksumMismatch"}, is: processpool.ErrChecksumMismatch,
		todo: "run the same command again; if the error remains, the object is damaged, or its ETag is not an MD5 (--verify off downloads it without verification)",
	},
	{
		codes: []string{"Unverifiable"}, is: processpool.ErrUnverifiable,
		todo: "--verify auto downloads it without verification",
	},
	{
		codes: []string{"Busy"}, is: processpool.ErrBusy,
		todo: "wait for the other s3get that downloads to this file, or name another file",
	},

	{
		codes: []string{"NoSuchKey"},
		what:  "there is no such object",
		todo:  "check the key; s3get --recursive downloads all objects below a prefix",
	},
	{
		codes: []string{"NoSuchBucket"},
		what:  "there is no such bucket",
		todo:  "check the bucket's name, and --endpoint",
	},
	{
		codes: []string{"InvalidBucketName"},
		what:  "the server takes this for no name of a bucket",
		todo:  "check the bucket's name",
	},
	{
		codes: []string{"NotFound"}, statuses: []int{404}, only: listing,
		what: "there is no such bucket",
		todo: "check the bucket's name, and --endpoint",
	},
	{
		codes: []string{"NotFound"}, statuses: []int{404},
		what: "there is no such object or no such bucket",
		todo: "check the bucket's name and the key",
	},
	{
		codes: []string{"AccessDenied"}, only: listing,
		what: "access is denied",
		todo: "ask for the permission s3:ListBucket, or use another --profile (public buckets: --no-sign-request)",
	},
	{
		codes: []string{"AccessDenied"},
		what:  "access is denied",
		todo:  "ask for the permission s3:GetObject, or use another --profile (public buckets: --no-sign-request); without s3:ListBucket this may also mean that there is no such object",
	},
	{
		codes: []string{"Forbidden"}, statuses: []int{403},
		what: "access is denied, and the server does not say why",
		todo: "check the access key and its secret, the permissions s3:GetObject and s3:ListBucket, and this machine's clock",
	},
	{
		codes: []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "Unauthorized"}, statuses: []int{401},
		what: "the credentials are not valid here",
		todo: "check the access key and its secret, use another --profile, and check --endpoint",
	},
	{
		codes: []string{"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"},
		what:  "the credentials have expired",
		todo:  "log in again (aws sso login), then run the same command again",
	},
	{
		codes: []string{"RequestTimeTooSkewed", "RequestExpired"},
		what:  "this machine's clock is wrong",
		todo:  "set the clock, then run the same command again",
	},
	{
		codes: []string{"BadRequest"},
		what:  "the server refuses the request, and does not say why",
		todo:  "log in again if the credentials may have expired (aws sso login), and check --region and --endpoint",
	},
	{
		codes: []string{"InvalidObjectState"},
		what:  "the object is archived",
		todo:  "restore it first (aws s3api restore-object)",
	},
	{
		codes: []string{"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"},
		what:  "the bucket is in another region",
		todo:  setRegion,
	},
	{
		codes: []string{"PermanentRedirect", "TemporaryRedirect", "MovedPermanently"}, statuses: []int{301, 302, 303, 307, 308}, only: elsewhere,
		what: "the bucket is in another region",
		todo: setRegion,
	},
	{
		codes: []string{"PermanentRedirect", "TemporaryRedirect", "MovedPermanently"}, statuses: []int{301, 302, 303, 307, 308},
		todo: "check --endpoint (http or https, host and port) and --region: the server sends s3get elsewhere",
	},
	{
		codes: []string{"SlowDown", "ServiceUnavailable", "TooManyRequests", "Throttling"}, statuses: []int{429, 503},
		what: "the server is overloaded",
		todo: "run the same command again later, or with fewer --workers",
	},
	{
		codes: []string{"InternalError", "InternalServerError"}, statuses: []int{500, 502, 504},
		what: "the server has failed",
		todo: "run the same command again later",
	},
	{
		codes: []string{"NotImplemented", "MethodNotAllowed"}, statuses: []int{405, 501},
		todo: "check --endpoint: the server does not do what S3 does",
	},

	{
		codes: []string{"WorkerLost"}, is: processpool.ErrWorkerLost,
		todo: "check the reason; if memory is short, try fewer workers: --workers 2",
	},
	{
		codes: []string{"Stalled"}, is: processpool.ErrStalled,
		todo: "check the network between this machine and the server, or try fewer --workers",
	},
	{
		codes: []string{"NoSuchHost"}, text: "no such host",
		todo: "check --endpoint, --region and the network: the server's name has no address",
	},
	{
		codes: []string{"ConnectionRefused"}, is: syscall.ECONNREFUSED,
		todo: "check the host and the port of --endpoint, and that the server runs",
	},
	{
		codes: []string{"NotTLS"}, text: "server gave HTTP response to HTTPS client",
		todo: "write http:// in --endpoint: the server does not speak TLS",
	},
	{
		codes: []string{"Certificate"}, text: "failed to verify certificate",
		todo: "name the file of the server's authority in AWS_CA_BUNDLE, and check the host of --endpoint and this machine's clock",
	},
	{
		codes: []string{"RetriesExceeded"}, is: processpool.ErrRetriesExceeded,
		todo: "check --endpoint, the proxies and the network, then run the same command again",
	},

	{
		codes: []string{"NoSpace"}, is: syscall.ENOSPC, only: ofFile,
		todo: "free some space, or choose another directory with -d",
	},
	{
		codes: []string{"IsDirectory"}, is: syscall.EISDIR, only: ofFile,
		todo: "name a file, or add a slash to the name of the directory",
	},
	{
		codes: []string{"NotDirectory"}, is: syscall.ENOTDIR, only: ofFile,
		todo: "a file exists at the path of a directory: choose another directory",
	},
	{
		codes: []string{"NotExist"}, is: fs.ErrNotExist, only: ofFile,
		todo: "create the directory first, or set it with -d",
	},
	{
		codes: []string{"Permission"}, is: fs.ErrPermission, only: ofFile,
		todo: "choose a directory that you may write to",
	},
	{
		codes: []string{"Credentials"}, text: "credentials: ",
		todo: "use --profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in again (aws sso login), or use --no-sign-request for a public bucket",
	},
}
