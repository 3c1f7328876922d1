package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// answered returns an error as a worker sends it.
func answered(op string, a failure.API) error {
	a.RequestID = "ID"
	w := failure.Wire{Text: "the server's text", API: &a}
	return &processpool.TransferError{Op: op, Bucket: "b", Key: "k", Filename: "f", Err: w.Unpack()}
}

// The advice fits the cause: the code of S3's error, or else the status of the answer.
func TestAdvise(t *testing.T) {
	leak.Check(t)
	get, list := processpool.OpGet, processpool.OpList
	for _, c := range []struct {
		op              string
		api             failure.API
		what, todo, not string
	}{
		{get, failure.API{Status: 404, Code: "NoSuchKey"}, "there is no such object (404 NoSuchKey, request ID)", "check the key", "bucket's name"},
		{get, failure.API{Status: 404, Code: "NoSuchBucket"}, "there is no such bucket (", "check the bucket's name", "key"},
		{get, failure.API{Status: 404, Code: "NotFound"}, "no such object or no such bucket (", "check the bucket's name and the key", ""},
		{list, failure.API{Status: 404, Code: "NotFound"}, "there is no such bucket (", "check the bucket's name", "key"},
		{get, failure.API{Status: 404, Code: "NoSuchVersion"}, "the server's text", "check the bucket's name and the key", ""},
		{get, failure.API{Status: 403, Code: "AccessDenied", Message: "Access Denied"}, "access is denied (403 AccessDenied, request ID)", "s3:GetObject", "clock"},
		{get, failure.API{Status: 403, Code: "AccessDenied", Message: "User x may not: kms:Decrypt"}, "access is denied: User x may not: kms:Decrypt (", "s3:GetObject", ""},
		{list, failure.API{Status: 403, Code: "AccessDenied"}, "access is denied (403 AccessDenied, ", "s3:ListBucket", "s3:GetObject"},
		{get, failure.API{Status: 403, Code: "Forbidden"}, "the server does not say why (403 Forbidden, ", "the access key and its secret, the permissions s3:GetObject and s3:ListBucket, and this machine's clock", ""},
		{get, failure.API{Status: 403, Code: "InvalidAccessKeyId"}, "the credentials are not valid here", "check the access key", "s3:GetObject"},
		{get, failure.API{Status: 403, Code: "SignatureDoesNotMatch"}, "the credentials are not valid here", "its secret", "s3:GetObject"},
		{get, failure.API{Status: 401, Code: "Whatever"}, "the server's text", "check the access key", ""},
		{get, failure.API{Status: 400, Code: "ExpiredToken"}, "the credentials have expired", "log in again", ""},
		{get, failure.API{Status: 400, Code: "BadRequest"}, "does not say why", "log in again", ""},
		{get, failure.API{Status: 400, Code: "InvalidRequest"}, "the server's text", "", ""},
		{get, failure.API{Status: 403, Code: "RequestTimeTooSkewed"}, "clock is wrong", "set the clock", "s3:GetObject"},
		{get, failure.API{Status: 400, Code: "AuthorizationHeaderMalformed"}, "another region", "set its region with --region", ""},
		{get, failure.API{Status: 400, Code: "AuthorizationHeaderMalformed", Region: "eu-west-1"}, "another region", "add --region eu-west-1", ""},
		{get, failure.API{Status: 301, Code: "PermanentRedirect", Region: "eu-west-1"}, "another region", "add --region eu-west-1", ""},
		{get, failure.API{Status: 301, Code: "MovedPermanently"}, "the server's text", "check --endpoint", ""},
		{get, failure.API{Status: 403, Code: "InvalidObjectState"}, "archived", "restore", "s3:GetObject"},
		{get, failure.API{Status: 503, Code: "SlowDown"}, "overloaded", "fewer --workers", ""},
		{get, failure.API{Status: 429, Code: "Whatever"}, "the server's text", "fewer --workers", ""},
		{get, failure.API{Status: 502, Code: "BadGateway"}, "the server's text", "later", ""},
		{get, failure.API{Status: 503}, "overloaded (503, request ID)", "later", ""},
		{get, failure.API{Status: 418, Code: "Teapot"}, "the server's text", "", ""},
	} {
		name := fmt.Sprintf("%s %d %s", c.op, c.api.Status, c.api.Code)
		p := advise(answered(c.op, c.api))
		wantText(t, name+": what", p.what, c.what)
		wantText(t, name+": todo", p.todo, c.todo)
		if c.not != "" && strings.Contains(p.todo, c.not) || c.todo == "" && p.todo != "" {
			t.Errorf("%s: got advice %q", name, p.todo)
		}
		if c.api.Code != "" && p.code != c.api.Code || p.cause.status != c.api.Status || p.cause.requestID != "ID" {
			t.Errorf("%s: got code %q, %+v", name, p.code, p.cause)
		}
	}
}

func TestAdviseWithoutAnswer(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		err        error
		code, todo string
	}{
		{processpool.ErrObjectChanged, "ObjectChanged", "new version"},
		{processpool.ErrBusy, "Busy", "wait"},
		{fmt.Errorf("%w: %w", processpool.ErrRetriesExceeded, syscall.ECONNREFUSED), "ConnectionRefused", "that the server runs"},
		{fmt.Errorf("%w: dial tcp: lookup nowhere: no such host", processpool.ErrRetriesExceeded), "NoSuchHost", "has no address"},
		{processpool.ErrRetriesExceeded, "RetriesExceeded", "the network"},
		{errors.New("http: server gave HTTP response to HTTPS client"), "NotTLS", "http://"},
		{errors.New("tls: failed to verify certificate: x509: unknown authority"), "Certificate", "AWS_CA_BUNDLE"},
		{&fs.PathError{Op: "open", Path: "f", Err: syscall.ENOSPC}, "NoSpace", "free some space"},
		{&fs.PathError{Op: "open", Path: "f", Err: syscall.EACCES}, "Permission", "may write to"},
		{errors.New("credentials: none"), "Credentials", "--profile"},
		{errors.New("any"), "Unknown", ""},
	} {
		p := advise(&processpool.TransferError{Op: processpool.OpGet, Err: c.err})
		if p.code != c.code || !strings.Contains(p.todo, c.todo) || c.todo == "" && p.todo != "" {
			t.Errorf("%v: got %s, %q, want %s, %q", c.err, p.code, p.todo, c.code, c.todo)
		}
	}
}

// A code that tells more counts before one that the SDK has made from the status.
func TestCauseOfTwoAnswers(t *testing.T) {
	leak.Check(t)
	head := answered("head", failure.API{Status: 404, Code: "NotFound"})
	get := answered("head", failure.API{Status: 404, Code: "NoSuchBucket"})
	for _, err := range []error{errors.Join(head, get), errors.Join(get, head)} {
		if p := advise(err); p.code != "NoSuchBucket" {
			t.Errorf("got %s, want NoSuchBucket", p.code)
		}
	}
}

// The help and README.md have the table of errors.
func TestAdviceIsDocumented(t *testing.T) {
	leak.Check(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.ReplaceAll(string(readme), "\r\n", "\n"), "\n")
	for i := range advices {
		a := &advices[i]
		row := "| `" + strings.Join(a.codes, "`, `") + "`"
		if a.only != nil && a.only.name != "" {
			row += " " + a.only.name
		}
		row += " | " + a.todo + " |"
		if !slices.Contains(lines, row) {
			t.Errorf("README.md does not have the line\n%s", row)
		}
	}
	for line := range strings.Lines(rootHelp()) {
		if len(line) > 101 {
			t.Errorf("a line of the help has %d columns: %s", len(line), line)
		}
	}
	if len(advices) < 30 || !strings.Contains(rootHelp(), "check the bucket's name, and --endpoint\n") {
		t.Errorf("got help %s", rootHelp())
	}
}
