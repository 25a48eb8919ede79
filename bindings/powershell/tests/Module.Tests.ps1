# The module's folder, as a person gets it.
BeforeAll {
    Set-StrictMode -Version Latest
    Import-Module $env:ZUS_MODULE, $PSScriptRoot/Sandbox.psm1
    $module = Get-Module ZoomUserStatus
    $common = [System.Management.Automation.PSCmdlet]::CommonParameters
}

Describe 'the folder' {
    It 'holds our assemblies and native files, and no other library' {
        $files = Get-ChildItem $env:ZUS_MODULE -Recurse -File | ForEach-Object { [System.IO.Path]::GetRelativePath($env:ZUS_MODULE, $_.FullName) -replace '\\', '/' }
        $libraries = $files | Where-Object { $_ -match '\.(dll|so|dylib|exe)$' -and $_ -notmatch '^runtimes/[\w-]+/native/(zus\.dll|libzus\.so|libzus\.dylib)$' }
        $libraries | Sort-Object | Should -Be 'lib/net8.0/ZoomUserStatus.dll', 'lib/net8.0/ZoomUserStatus.PowerShell.dll', 'lib/netstandard2.0/ZoomUserStatus.dll', 'lib/netstandard2.0/ZoomUserStatus.PowerShell.dll'
        'THIRD-PARTY-NOTICES.txt', 'LICENSE-MIT', 'LICENSE-APACHE', 'en-US/about_ZoomUserStatus.help.txt' | ForEach-Object { $files | Should -Contain $_ }
        $files | Where-Object { $_ -like 'runtimes/*' } | Should -Not -BeNullOrEmpty
    }

    It 'has assemblies for Windows PowerShell that need nothing but .NET Framework 4.7.2, PowerShell and each other' {
        foreach ($name in 'ZoomUserStatus', 'ZoomUserStatus.PowerShell') {
            $file = [System.IO.File]::OpenRead("$env:ZUS_MODULE/lib/netstandard2.0/$name.dll")
            $reader = [System.Reflection.PortableExecutable.PEReader]::new($file)
            $metadata = [System.Reflection.Metadata.PEReaderExtensions]::GetMetadataReader($reader)
            $references = $metadata.AssemblyReferences | ForEach-Object { $metadata.GetString($metadata.GetAssemblyReference($_).Name) }
            $references | Where-Object { $_ -notin 'netstandard', 'System.Management.Automation', 'ZoomUserStatus' } | Should -BeNullOrEmpty
            $reader.Dispose()
        }
    }

    It 'has no path of the machine that built it: a stack trace shows none' {
        try { [pscustomobject]@{ Name = 'Ada' } | Disable-ZoomUser } catch { $caught = $_ }
        $caught.Exception.StackTrace | Should -Match 'UserInput\.cs:line \d+'
        $caught.Exception.StackTrace | Should -Not -Match ([regex]::Escape((Resolve-Path $PSScriptRoot/../../..).Path))
    }

    It 'has a manifest that lists every command, and is valid' {
        $manifest = Test-ModuleManifest (Join-Path $env:ZUS_MODULE ZoomUserStatus.psd1)
        $assembly = (Get-Command Disable-ZoomUser).ImplementingType.Assembly
        $ours = $assembly.GetExportedTypes() | ForEach-Object { $_.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false) } | ForEach-Object { "$($_.VerbName)-$($_.NounName)" }
        (Import-PowerShellDataFile (Join-Path $env:ZUS_MODULE ZoomUserStatus.psd1)).CmdletsToExport | Sort-Object | Should -Be ($ours | Sort-Object) # plain data
        $manifest.ExportedCommands.Keys | Sort-Object | Should -Be ($ours | Sort-Object)
        $ours | Sort-Object | Should -Be 'Connect-ZoomUserStatus', 'Disable-ZoomUser', 'Disconnect-ZoomUserStatus', 'Enable-ZoomUser', 'Get-ZoomUserStatus', 'Set-ZoomUserStatus', 'Test-ZoomUserStatusConnection'
        "$($manifest.Version)" | Should -Be $assembly.GetName().Version.ToString(3)
    }

    It 'loads the native library by its full path, whatever lies around' -Skip:(-not $IsLinux) {
        $empty = (New-Item -ItemType Directory (Join-Path $TestDrive other)).FullName
        Set-Content $empty/libzus.so 'not a library'
        Set-Content $empty/zus.so 'not a library'
        $env:LD_LIBRARY_PATH = $empty
        $maps = pwsh -NoProfile -WorkingDirectory $empty -Command 'Import-Module $env:ZUS_MODULE; Get-Content /proc/self/maps'
        $env:LD_LIBRARY_PATH = $null
        $loaded = $maps | Where-Object { $_ -match 'zus\.so' } | ForEach-Object { ($_ -split '\s+', 6)[5] } | Sort-Object -Unique
        $loaded | Should -BeLike "$((Resolve-Path $env:ZUS_MODULE).Path)/runtimes/linux-*/native/libzus.so"
    }

    It 'without a library for this system says so on import' {
        Copy-Item -Recurse $env:ZUS_MODULE $TestDrive/bare
        Remove-Item -Recurse $TestDrive/bare/ZoomUserStatus/runtimes, $TestDrive/bare/runtimes -ErrorAction Ignore
        $manifest = (Get-ChildItem $TestDrive/bare -Recurse -Filter ZoomUserStatus.psd1).FullName
        pwsh -NoProfile -Command "try { Import-Module '$manifest' -ErrorAction Stop } catch { `"`$_`" }" | Out-String | Should -Match 'no native library for this system'
    }

    It 'imports twice, and in several runspaces' {
        $versions = 1..3 | ForEach-Object -Parallel { Import-Module $env:ZUS_MODULE -Force; Import-Module $env:ZUS_MODULE; (Get-Command Disable-ZoomUser).Version.ToString(3) }
        $versions | Sort-Object -Unique | Should -Be "$($module.Version)"
    }
}

Describe 'beside PSZoom' {
    It 'no command has a name of one of its functions' {
        $theirs = Get-Content $PSScriptRoot/files/pszoom-functions.txt
        $theirs | Should -Contain Update-ZoomUserStatus # the list is the right one
        $module.ExportedCommands.Keys | Where-Object { $_ -in $theirs } | Should -BeNullOrEmpty
    }

    It 'in either order of imports every command is ours, and works' {
        $theirs = Join-Path $TestDrive PSZoom.psm1
        Get-Content $PSScriptRoot/files/pszoom-functions.txt | ForEach-Object { "function $_ { 'theirs' }" } | Set-Content $theirs
        $zoom = Start-Sandbox '--users', '300'
        foreach ($order in "'$theirs', `$env:ZUS_MODULE", "`$env:ZUS_MODULE, '$theirs'") {
            $env:ZOOM_API_URL, $env:ZOOM_ACCESS_TOKEN = $zoom.ApiUrl, 'sandbox-token'
            $text = pwsh -NoProfile -Command ("Import-Module $order -DisableNameChecking" + '
                Update-ZoomUserStatus
                Get-Command -Module ZoomUserStatus | ForEach-Object { (Get-Command $_.Name).ModuleName } | Sort-Object -Unique
                (Disable-ZoomUser user00001@example.com -Confirm:$false).Status')
            $text | Should -Be theirs, ZoomUserStatus, Done
        }
        $env:ZOOM_API_URL = $env:ZOOM_ACCESS_TOKEN = $null
        Stop-Sandbox $zoom
    }
}

Describe 'help and completion' {
    It 'of <_>: every parameter, an example' -ForEach 'Connect-ZoomUserStatus', 'Disable-ZoomUser', 'Disconnect-ZoomUserStatus', 'Enable-ZoomUser', 'Get-ZoomUserStatus', 'Set-ZoomUserStatus', 'Test-ZoomUserStatusConnection' {
        $help = Get-Help $_ -Full
        $help.Synopsis | Should -Match '^[A-Z][^\n]*\.$'
        $help.Description.Text | Should -Not -BeNullOrEmpty
        @($help.Examples.example).Count | Should -BeGreaterThan 0
        $parameters = (Get-Command $_).Parameters.Keys | Where-Object { $_ -notin $common }
        foreach ($parameter in $parameters) { @($help.parameters.parameter | Where-Object name -EQ $parameter).description.Text | Should -Not -BeNullOrEmpty -Because $parameter }
    }

    It 'has the positional parameter first, the values of -Action, the defaults, and what the pipeline takes' {
        (Get-Help Set-ZoomUserStatus).syntax | Out-String -Width 400 | Should -Match 'Set-ZoomUserStatus \[-UserId\] <PSObject\[\]> -Action \{Activate \| Deactivate \| ClockIn \| ClockOut\} \[-'
        (Get-Help Connect-ZoomUserStatus -Parameter RateLimit).defaultValue | Should -Be 30
        (Get-Help Disable-ZoomUser).inputTypes.inputType.type.name | Should -Be System.Management.Automation.PSObject
    }

    It 'about_ZoomUserStatus' {
        (Get-Help about_ZoomUserStatus) | Out-String | Should -Match 'ONE BATCH'
    }

    It 'completes <Line>' -ForEach @(
        @{ Line = 'Set-ZoomUserStatus -Action De'; Wanted = 'Deactivate' }
        @{ Line = 'Disable-ZoomUser -Property PrimaryS'; Wanted = 'PrimarySmtpAddress' }
        @{ Line = 'Disable-ZoomUser -Max'; Wanted = '-MaximumFailureCount' }
        @{ Line = 'Disable-ZoomUser a | Where-Object Tra'; Wanted = 'TrackingId' }
    ) {
        [System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches.CompletionText | Should -Contain $Wanted
    }
}
