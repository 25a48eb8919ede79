# Runs the tests, and says the last line as the other parts of `make test` do.
Import-Module Pester -MinimumVersion 5.7
$files = Get-ChildItem $PSScriptRoot -Filter "*$env:ZUS_TESTS*.Tests.ps1"
$configuration = New-PesterConfiguration
$configuration.Run.Path = $files.FullName
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Normal'
$result = Invoke-Pester -Configuration $configuration
foreach ($test in $result.Skipped) { "SKIPPED: $($test.ExpandedPath)" }
$failed = $result.FailedCount + $result.FailedContainersCount + $result.FailedBlocksCount
"$($result.PassedCount) passed, $failed failed"
exit [int]($failed -ne 0)
