package owner

import "encoding/json"

// The codes of this package's own Failures. A Handler has others.
const (
	CodeBusy     = "busy"     // too many clients at once
	CodeEnding   = "ending"   // the owner takes no more requests and lets go of the state soon
	CodeInternal = "internal" // an error of the handler that is no *Failure
	CodeProtocol = "protocol" // the client did not keep to the protocol
	CodeSchema   = "schema"   // the client speaks another version of the protocol
	CodeStranger = "stranger" // the client runs as another user
)

// A Failure is why the owner did not do what it was asked for.
type Failure struct {
	Code   string          `json:"code"`
	Detail json.RawMessage `json:"detail,omitempty"` // a text where the code is one of this package
}

// NewFailure is a Failure with a detail that JSON can hold.
func NewFailure(code string, detail any) *Failure {
	raw, err := json.Marshal(detail)
	if err != nil {
		return NewFailure(CodeInternal, err.Error())
	}
	return &Failure{Code: code, Detail: raw}
}

// Error is for people: the code, and the detail if it is a text. It is as the owner sent it.
func (f *Failure) Error() string {
	var text string
	if err := json.Unmarshal(f.Detail, &text); err != nil || text == "" {
		return f.Code
	}
	return f.Code + ": " + text
}
