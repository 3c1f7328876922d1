package main

import (
	"errors"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
)

// cause is what an error tells about the answer of the server.
type cause struct {
	err           error
	op            string // the step of the download
	code, message string // S3's error; "": there is none
	status        int    // 0: there was no answer
	requestID     string
	region        string // where the server says the bucket is
}

func causeOf(err error) cause {
	c := cause{err: err}
	var transfer *processpool.TransferError
	if errors.As(err, &transfer) {
		c.op = transfer.Op
	}
	visit(err, func(e error) {
		api, ok := e.(smithy.APIError)
		if ok && (c.code == "" || isBare(c.code) && !isBare(api.ErrorCode())) {
			c.code, c.message = api.ErrorCode(), api.ErrorMessage()
		}
	})
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		c.status, c.requestID = response.HTTPStatusCode(), response.ServiceRequestID()
		if response.Response != nil && response.Response.Response != nil {
			c.region = response.Response.Header.Get("X-Amz-Bucket-Region")
		}
	}
	return c
}

// isBare reports whether the SDK has made code from the status of an answer without a body, as all
// answers to a HeadObject are.
func isBare(code string) bool {
	for status := 300; status < 600; status++ {
		if code == strings.ReplaceAll(http.StatusText(status), " ", "") {
			return true
		}
	}
	return false
}

// visit calls do with err and with each error that it wraps, in the order of errors.As.
func visit(err error, do func(error)) {
	if err == nil {
		return
	}
	do(err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		visit(e.Unwrap(), do)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			visit(one, do)
		}
	}
}

// last returns the text of the error without the bucket, the key and the step, which the report
// shows anyway.
func (c *cause) last() string {
	var transfer *processpool.TransferError
	if errors.As(c.err, &transfer) {
		return transfer.Err.Error()
	}
	return c.err.Error()
}
