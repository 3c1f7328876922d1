package ipc

// Message is the content of one frame: a pointer to one of the types of this package.
type Message interface{ kind() kind }

// kind is a message's number on the wire. A number that was given up is not reused.
type kind byte

const (
	kindHello kind = iota + 1
	kindSetup
	kindReady
	kindJob
	kindCancel
	kindFound
	kindProgress
	kindRetry
	kindResult
	kindAsk
	kindCredentials
	kindPing
	kindPong
	kindStop
	kindHandle
	kindListed
	kindAttempt
	kindDirect
	kindRateLimit
	kindConnect
)

// carriesFile reports whether a descriptor comes with the message.
func carriesFile(m Message) bool {
	switch m := m.(type) {
	case *Job:
		return m.Get != nil || m.Read != nil
	case *Direct:
		return true
	}
	return false
}

func (*Hello) kind() kind       { return kindHello }
func (*Setup) kind() kind       { return kindSetup }
func (*Ready) kind() kind       { return kindReady }
func (*Job) kind() kind         { return kindJob }
func (*Cancel) kind() kind      { return kindCancel }
func (*Found) kind() kind       { return kindFound }
func (*Progress) kind() kind    { return kindProgress }
func (*Retry) kind() kind       { return kindRetry }
func (*Result) kind() kind      { return kindResult }
func (*Ask) kind() kind         { return kindAsk }
func (*Credentials) kind() kind { return kindCredentials }
func (*Ping) kind() kind        { return kindPing }
func (*Pong) kind() kind        { return kindPong }
func (*Stop) kind() kind        { return kindStop }
func (*Handle) kind() kind      { return kindHandle }
func (*Listed) kind() kind      { return kindListed }
func (*Attempt) kind() kind     { return kindAttempt }
func (*Direct) kind() kind      { return kindDirect }
func (*RateLimit) kind() kind   { return kindRateLimit }
func (*Connect) kind() kind     { return kindConnect }

// newMessage returns a new message of that kind, nil if there is no such kind.
func newMessage(k kind) Message {
	switch k {
	case kindHello:
		return new(Hello)
	case kindSetup:
		return new(Setup)
	case kindReady:
		return new(Ready)
	case kindJob:
		return new(Job)
	case kindCancel:
		return new(Cancel)
	case kindFound:
		return new(Found)
	case kindProgress:
		return new(Progress)
	case kindRetry:
		return new(Retry)
	case kindResult:
		return new(Result)
	case kindAsk:
		return new(Ask)
	case kindCredentials:
		return new(Credentials)
	case kindPing:
		return new(Ping)
	case kindPong:
		return new(Pong)
	case kindStop:
		return new(Stop)
	case kindHandle:
		return new(Handle)
	case kindListed:
		return new(Listed)
	case kindAttempt:
		return new(Attempt)
	case kindDirect:
		return new(Direct)
	case kindRateLimit:
		return new(RateLimit)
	case kindConnect:
		return new(Connect)
	}
	return nil
}
