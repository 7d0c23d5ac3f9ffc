package oauthtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// An Answer is what an endpoint does with one request in place of what is right.
type Answer func(w http.ResponseWriter, r *http.Request)

// Refuse says an error in JSON, as RFC 6749 has it.
func Refuse(status int, code, description string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		reply(w, status, map[string]any{"error": code, "error_description": description})
	}
}

// InvalidGrant is the end of a refresh token.
func InvalidGrant(description string) Answer { return Refuse(400, "invalid_grant", description) }

// Busy is 429 with Retry-After in seconds; "" leaves that out.
func Busy(retryAfter string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		http.Error(w, "slow down", http.StatusTooManyRequests)
	}
}

// Raw answers with any status, type and body.
func Raw(status int, contentType, body string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// HTML is a page with status 200, as captive portals send it.
func HTML() Answer { return Raw(200, "text/html", "<!DOCTYPE html><title>Log in to the WLAN</title>") }

// Elsewhere redirects to url.
func Elsewhere(status int, url string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", url)
		w.WriteHeader(status)
	}
}

// Hang never answers.
func Hang() Answer {
	return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
}

// Flood answers with JSON that does not end within n octets.
func Flood(n int) Answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"access_token":"`))
		line := strings.Repeat("x", 4096)
		for range n / len(line) {
			if _, err := w.Write([]byte(line)); err != nil {
				return
			}
		}
	}
}

// Echo refuses and repeats all that it was sent, secrets included, as %v of the form and in each of
// the forms that encode gives.
func Echo(status int, code string, encode ...func(string) string) Answer {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		text := fmt.Sprint(r.PostForm) + " " + r.PostForm.Encode()
		for _, values := range r.PostForm {
			for _, e := range encode {
				text += " " + e(values[0])
			}
		}
		reply(w, status, map[string]any{"error": code, "error_description": text})
	}
}

// Changed is the right answer with fields set otherwise; nil takes one out.
func (p *Provider) Changed(fields map[string]any) Answer {
	return func(w http.ResponseWriter, r *http.Request) {
		status, good := p.grant(r)
		for key, value := range fields {
			good[key] = value
			if value == nil {
				delete(good, key)
			}
		}
		reply(w, status, good)
	}
}

// After does something first; then answers with next, or rightly where that is nil.
func (p *Provider) After(do func(), next Answer) Answer {
	return func(w http.ResponseWriter, r *http.Request) {
		do()
		if next != nil {
			next(w, r)
			return
		}
		p.Changed(nil)(w, r)
	}
}

func reply(w http.ResponseWriter, status int, fields map[string]any) {
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
