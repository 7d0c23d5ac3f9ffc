package main

import (
	"encoding/json"
	"errors"

	"popsync/internal/owner"
)

// A farFailure is a failure as one process tells it another.
type farFailure struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Step    string `json:"step,omitempty"`
	Message string `json:"message"`
	Cause   string `json:"cause,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// farOf is err as it is told to another process.
func farOf(err error) []farFailure {
	var far []farFailure
	for _, f := range explain(err) {
		far = append(far, farFailure{f.status, f.code, f.step, f.message, f.cause, f.hint})
	}
	return far
}

// farErrors are the failures of another process that did something for this one.
type farErrors []failure

func (e farErrors) Error() string {
	if len(e) == 0 {
		return "nothing was done"
	}
	return e[0].message
}

// nearOf is the error that another process has told.
func nearOf(err error) error {
	f, ok := errors.AsType[*owner.Failure](err)
	if !ok {
		return err
	}
	var far []farFailure
	if err := json.Unmarshal(f.Detail, &far); err != nil {
		return err
	}
	var near farErrors
	for _, f := range far {
		near = append(near, failure{f.Status, f.Code, f.Step, f.Message, f.Cause, f.Hint})
	}
	return near
}
