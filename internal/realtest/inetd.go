package realtest

import (
	"bytes"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
)

// StartPopa3d starts popa3d, with mail in mbox files.
func StartPopa3d(users ...string) (Server, error) {
	return startInetd("popa3d", "/usr/sbin/popa3d", users, func(message []byte) []byte {
		if !bytes.Contains(message, []byte("\n\n")) && message[0] != '\n' {
			message = append(message, '\n') // that of the mbox then counts as the end of the header
		}
		return message
	})
}

// StartSolid starts solid-pop3d, with mail in mbox files.
func StartSolid(users ...string) (Server, error) {
	return startInetd("solid", "/usr/sbin/solid-pop3d", users, func(message []byte) []byte {
		return append(message, '\n') // the blank line after it belongs to the mbox, and is sent
	})
}

// startInetd starts a server whose every session is a process of its own, with the connection as its
// standard input and output.
func startInetd(product, program string, users []string, shows func([]byte) []byte) (Server, error) {
	return inCell(product, users, func(c *cell) (err error) {
		if c.box, err = newMboxStore(filepath.Join(c.folder, "mail"), users, shows); err != nil {
			return err
		}
		if err := c.start("rm -rf /var/mail\nln -s /srv/mail /var/mail\nmkdir -p /var/empty\n"); err != nil {
			return err
		}
		l, err := net.Listen("tcp", net.JoinHostPort(Host(1), strconv.Itoa(c.plain)))
		if err != nil {
			return err
		}
		c.closeFirst = l
		go c.sessions(l.(*net.TCPListener), program)
		return c.awaitGreeting()
	})
}

// sessions runs program in the cell for each connection, until l is closed. The end of the cell is
// that of the program.
func (c *cell) sessions(l *net.TCPListener, program string) {
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			return
		}
		if err := c.session(conn, program); err != nil {
			c.log.add(err.Error())
		}
	}
}

func (c *cell) session(conn *net.TCPConn, program string) error {
	defer conn.Close() // it is the program's now
	file, err := conn.File()
	if err != nil {
		return err
	}
	defer file.Close()
	first := strconv.Itoa(c.first.cmd.Process.Pid)
	cmd := exec.Command("nsenter", "--target", first, "--mount", "--pid", "--root", "--wdns=/", program)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stdin, cmd.Stdout = file, file
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait()
	return nil
}
