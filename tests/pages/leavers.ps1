Import-Module ZoomUserStatus
$null = Connect-ZoomUserStatus -ThrottleLimit 1 # one after another: the order of the results is that of the page
Set-Content leavers.csv 'Name,Email', 'Ada,ada@example.com', 'Grace,grace@example.com'
Remove-Item report.csv -ErrorAction Ignore
PAGE
