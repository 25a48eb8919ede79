Import-Module ZoomUserStatus
Set-Content leavers.csv 'Name,Email', 'Ada,ada@example.com', 'Grace,grace@example.com'
Remove-Item report.csv -ErrorAction Ignore
PAGE
if (@(Import-Csv report.csv).Count -ne 2) { exit 4 }
