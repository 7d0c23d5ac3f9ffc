package realtest

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// StartPerdition starts the proxy perdition before a Dovecot of its own.
func StartPerdition(users ...string) (Server, error) {
	return inFront("perdition", users, func(c *cell, behind *Dovecot) error {
		c.closeFirst = stops{behind}
		return c.serve(fmt.Sprintf(perditionSetUp, c.plain, c.implicit, behind.Port(Cleartext)))
	})
}

const perditionSetUp = `
chmod 600 /etc/server.pem
serve() {
	perdition --config_file /dev/null --bind_address 127.0.0.1 --map_library '' --no_lookup \
		--outgoing_server 127.0.0.1 --outgoing_port %[3]d --server_resp_line \
		--ssl_cert_file /etc/server.pem --ssl_key_file /etc/server.pem --ssl_no_client_cert_verify \
		--username root --group root --pid_file '' "$@"
}
serve --protocol POP3 --listen_port %[1]d --ssl_mode tls_listen
serve --protocol POP3S --listen_port %[2]d --ssl_mode ssl_listen
`

// StartNginx starts nginx as a mail proxy before a Dovecot of its own. Who may log in, and with
// which password behind it, nginx asks over HTTP.
func StartNginx(users ...string) (Server, error) {
	return inFront("nginx", users, func(c *cell, behind *Dovecot) error {
		l, err := net.Listen("tcp", net.JoinHostPort(Host(1), "0"))
		if err != nil {
			return err
		}
		asked := &http.Server{Handler: admission(behind.Port(Cleartext))}
		go asked.Serve(l)
		c.closeFirst = stops{closes{asked}, behind}
		return c.serve(fmt.Sprintf(nginxSetUp, c.plain, c.implicit, l.Addr()))
	})
}

const nginxSetUp = `
mkdir -p /var/log/nginx /var/lib/nginx
cat >/etc/nginx.conf <<'END'
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
user www-data;
worker_processes 1;
error_log syslog:server=unix:/dev/log;
pid /run/nginx.pid;
events {}
mail {
	server_name nginx.test;
	auth_http %[3]s/;
	pop3_auth plain cram-md5 apop;
	pop3_capabilities TOP USER UIDL PIPELINING RESP-CODES;
	proxy_pass_error_message on;
	ssl_certificate /etc/server.pem;
	ssl_certificate_key /etc/server.pem;
	server { listen 127.0.0.1:%[1]d; protocol pop3; starttls on; }
	server { listen 127.0.0.1:%[2]d ssl; protocol pop3; }
}
END
nginx -c /etc/nginx.conf
`

// inFront makes a cell for a proxy, with a Dovecot behind it that has the mail.
func inFront(product string, users []string, furnish func(*cell, *Dovecot) error) (Server, error) {
	return inCell(product, users, func(c *cell) error {
		behind, err := StartDovecot(users...)
		if err != nil {
			return err
		}
		c.box = behind
		return furnish(c, behind.(*Dovecot))
	})
}

// admission answers nginx: the port of the server behind it, and, for CRAM-MD5 and APOP, the
// password for that.
func admission(port int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := url.PathUnescape(r.Header.Get("Auth-Pass"))
		salt := r.Header.Get("Auth-Salt")
		answer := w.Header()
		if given != expected(r.Header.Get("Auth-Method"), salt) {
			answer.Set("Auth-Status", "Invalid login or password")
			return
		}
		answer.Set("Auth-Status", "OK")
		answer.Set("Auth-Server", Host(1))
		answer.Set("Auth-Port", fmt.Sprint(port))
		if salt != "" {
			answer.Set("Auth-Pass", Password)
		}
	})
}

// expected is what a client gives that knows the password.
func expected(method, salt string) string {
	switch method {
	case "cram-md5":
		mac := hmac.New(md5.New, []byte(Password))
		mac.Write([]byte(salt))
		return hex.EncodeToString(mac.Sum(nil))
	case "apop":
		sum := md5.Sum([]byte(salt + Password))
		return hex.EncodeToString(sum[:])
	}
	return Password
}

// stops ends several things.
type stops []interface{ Stop() error }

// Close is [io.Closer].
func (s stops) Close() error {
	var all []error
	for _, one := range s {
		all = append(all, one.Stop())
	}
	return errors.Join(all...)
}

// closes is what ends by being closed.
type closes struct{ io.Closer }

// Stop closes it.
func (c closes) Stop() error { return c.Close() }
