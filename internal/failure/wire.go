package failure

import (
	"errors"
	"io/fs"
	"net/http"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Wire is the form in which an error crosses between processes: its text, and the facts that
// errors.Is and errors.As must find on the other side.
type Wire struct {
	Text      string
	Class     Class    `json:",omitempty"` // where it occurred: the types that tell it do not cross
	Sentinels []string `json:",omitempty"`
	Errno     uint     `json:",omitempty"`
	Call      string   `json:",omitempty"` // Op of the fs.PathError that contained Errno
	API       *API     `json:",omitempty"`
	Head      *API     `json:",omitempty"` // of an Explained: the answer to the HeadObject
}

// API is the part of an error that comes from S3's response.
type API struct {
	Operation string
	Status    int
	RequestID string
	HostID    string
	Code      string
	Message   string
	Fault     int
	// StorageClass and AccessTier are set for InvalidObjectState only.
	StorageClass string `json:",omitempty"`
	AccessTier   string `json:",omitempty"`
	Region       string `json:",omitempty"` // x-amz-bucket-region
}

// Pack converts err to its wire form. It cuts long texts: see Cut. It returns nil for nil.
func Pack(err error) *Wire {
	if err == nil {
		return nil
	}
	w := &Wire{Text: Cut(err.Error(), MaxText), Class: ClassOf(err)}
	for name, sentinel := range names {
		if errors.Is(err, sentinel) {
			w.Sentinels = append(w.Sentinels, name)
		}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		w.Errno = uint(errno)
		var path *fs.PathError
		if errors.As(err, &path) {
			w.Call = Cut(path.Op, maxField)
		}
	}
	if w.API = packAPI(err); w.API != nil {
		w.API.cut()
	}
	var explained *Explained
	if errors.As(err, &explained) {
		if w.Head = packAPI(explained.Head); w.Head != nil {
			w.Head.cut()
		}
	}
	return w
}

// cut cuts what a server can make as long as it likes.
func (a *API) cut() {
	a.Message = Cut(a.Message, MaxText)
	for _, field := range []*string{
		&a.Operation, &a.RequestID, &a.HostID, &a.Code, &a.StorageClass, &a.AccessTier, &a.Region,
	} {
		*field = Cut(*field, maxField)
	}
}

// Size returns how many bytes the texts of w have. Pack makes no Wire of more than 7 * MaxText.
func (w *Wire) Size() int {
	n := len(w.Text) + len(w.Class) + len(w.Call)
	for _, name := range w.Sentinels {
		n += len(name) + 1
	}
	for _, a := range []*API{w.API, w.Head} {
		if a != nil {
			n += len(a.Operation) + len(a.RequestID) + len(a.HostID) + len(a.Code) + len(a.Message) +
				len(a.StorageClass) + len(a.AccessTier) + len(a.Region)
		}
	}
	return n
}

// RequestID returns S3's id of the failed request, "" if there was no response.
func RequestID(err error) string {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return Cut(response.ServiceRequestID(), maxField)
	}
	return ""
}

func packAPI(err error) *API {
	var api smithy.APIError
	var response *awshttp.ResponseError
	hasAPI, hasResponse := errors.As(err, &api), errors.As(err, &response)
	if !hasAPI && !hasResponse {
		return nil
	}
	a := &API{}
	if hasAPI {
		a.Code, a.Message, a.Fault = api.ErrorCode(), api.ErrorMessage(), int(api.ErrorFault())
	}
	if hasResponse {
		a.Status, a.RequestID = response.HTTPStatusCode(), RequestID(err)
		if response.Response != nil && response.Response.Response != nil {
			a.HostID = response.Response.Header.Get("X-Amz-Id-2")
			a.Region = response.Response.Header.Get("X-Amz-Bucket-Region")
		}
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		a.Operation = operation.OperationName
	}
	var state *types.InvalidObjectState
	if errors.As(err, &state) {
		a.StorageClass, a.AccessTier = string(state.StorageClass), string(state.AccessTier)
	}
	return a
}

// Unpack rebuilds the error. It has the same text as the original, and errors.Is and errors.As find
// the same sentinels, errno and typed errors of the SDK. It returns nil for nil.
func (w *Wire) Unpack() error {
	if w == nil {
		return nil
	}
	e := &remoteError{text: w.Text, class: w.Class}
	for _, name := range w.Sentinels {
		if sentinel, ok := names[name]; ok {
			e.causes = append(e.causes, sentinel)
		}
	}
	switch errno := syscall.Errno(w.Errno); {
	case w.Errno == 0:
	case w.Call == "": // an errno of a socket
		e.causes = append(e.causes, errno)
	default:
		e.causes = append(e.causes, &fs.PathError{Op: w.Call, Err: errno})
	}
	switch {
	case w.API != nil && w.Head != nil:
		e.causes = append(e.causes, &Explained{Head: w.Head.rebuild(), Get: w.API.rebuild()})
	case w.API != nil:
		e.causes = append(e.causes, w.API.rebuild())
	}
	return e
}

func (a *API) rebuild() error {
	header := http.Header{}
	header.Set("X-Amz-Request-Id", a.RequestID)
	header.Set("X-Amz-Id-2", a.HostID)
	if a.Region != "" {
		header.Set("X-Amz-Bucket-Region", a.Region)
	}
	return &smithy.OperationError{
		ServiceID:     "S3",
		OperationName: a.Operation,
		Err: &awshttp.ResponseError{
			RequestID: a.RequestID,
			ResponseError: &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{
					StatusCode: a.Status,
					Status:     http.StatusText(a.Status),
					Header:     header,
					Body:       http.NoBody,
				}},
				Err: a.modelled(),
			},
		},
	}
}

// modelled returns an error of the type that the SDK's deserializer creates for the code.
func (a *API) modelled() error {
	message := &a.Message
	switch a.Code {
	case "": // an interrupted response has a status and no S3 error
		return errors.New(a.Message)
	case "NoSuchKey":
		return &types.NoSuchKey{Message: message}
	case "NotFound":
		return &types.NotFound{Message: message}
	case "NoSuchBucket":
		return &types.NoSuchBucket{Message: message}
	case "InvalidObjectState":
		return &types.InvalidObjectState{
			Message:      message,
			StorageClass: types.StorageClass(a.StorageClass),
			AccessTier:   types.IntelligentTieringAccessTier(a.AccessTier),
		}
	}
	return &smithy.GenericAPIError{Code: a.Code, Message: a.Message, Fault: smithy.ErrorFault(a.Fault)}
}

// remoteError is an error from another process.
type remoteError struct {
	text   string
	class  Class // "": not told
	causes []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.causes }
