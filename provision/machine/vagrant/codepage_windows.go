package vagrant

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/sys/windows"
)

// Code pages that Windows knows by what they are for (stringapiset.h).
const (
	ansiPage = 0 // CP_ACP: what programs without Unicode use, 949 on Korean Windows
	oemPage  = 1 // CP_OEMCP: what a console uses unless it was told otherwise
)

// Text is what a program of VirtualBox or Vagrant wrote, in UTF-8. Into a pipe VBoxManage writes in the ANSI code page.
func Text(out []byte) string { return fromPage(out, ansiPage) }

// ConsoleText is the same for a program that writes as its console does, such as Windows PowerShell.
func ConsoleText(out []byte) string {
	page, err := windows.GetConsoleOutputCP()
	if err != nil || page == 0 {
		page = oemPage
	}
	return fromPage(out, page)
}

// fromPage decodes, line by line, what is no UTF-8: Vagrant repeats in its own output what VBoxManage wrote.
func fromPage(out []byte, page uint32) string {
	if utf8.Valid(out) {
		return string(out)
	}
	var b strings.Builder
	for line := range bytes.Lines(out) {
		if utf8.Valid(line) {
			b.Write(line)
		} else {
			b.WriteString(decode(line, page))
		}
	}
	return b.String()
}

// decode gives the text back as it is when Windows does not know the code page.
func decode(text []byte, page uint32) string {
	units := make([]uint16, len(text)) // no page has more UTF-16 units than bytes
	n, err := windows.MultiByteToWideChar(page, 0, &text[0], int32(len(text)), &units[0], int32(len(units)))
	if err != nil {
		return string(text)
	}
	return string(utf16.Decode(units[:n]))
}
